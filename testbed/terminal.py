"""Texts that a terminal would obey, and a stream that says it is one."""

from __future__ import annotations

import io

HOSTILE = "\x1b]0;owned\x07\x9b2J\u202egpj.\u2066\x7f\n\r\t[bold red]b[/] [link=https://x.example]l[/link]"
SHOWN = "\\x1b]0;owned\\x07\\x9b2J\\u202egpj.\\u2066\\x7f\\n\\r\\t[bold red]b[/] [link=https://x.example]l[/link]"
OBEYED = ("\x1b]", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\r", "\t")


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True
