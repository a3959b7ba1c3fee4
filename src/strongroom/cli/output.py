"""What a command prints: one JSON document, or tables and lines for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Result = TypeVar("Result")

_STEP = 50  # results between two movements of a progress bar
_UNLIMITED_COLUMNS = 1000  # a table that goes into a pipe or a file is not cut


class Output:
    """Data go to standard output, messages to standard error."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def document(self, value: Mapping[str, Any]) -> None:
        """Print the one JSON document."""
        _write(sys.stdout, json.dumps(value) + "\n")

    def pieces(self, parts: Iterable[str]) -> None:
        """Print text that is made while it is printed."""
        for part in parts:
            _write_unflushed(sys.stdout, part)
        _write(sys.stdout, "")

    def heading(self, text: str) -> None:
        """Print the title of a part of a report."""
        self.line()
        self.marked("bold", text, "")

    def marked(self, style: str, name: str, text: str) -> None:
        """Print a line of data that begins with a name in a style, where that can be seen."""
        if sys.stdout is not None and sys.stdout.isatty():
            from rich.text import Text

            _console(sys.stdout).print(Text.assemble((name, style), f"  {text}" if text else ""), soft_wrap=True)
        else:
            self.line(f"{name}  {text}" if text else name)

    def line(self, text: str = "") -> None:
        """Print a line of data."""
        _write(sys.stdout, text + "\n")

    def secret(self, text: bytes) -> None:
        """Print a secret as a line of its own, in UTF-8 whatever the locale says."""
        _write(sys.stdout, "")
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.buffer.flush()

    def message(self, text: str, style: str = "") -> None:
        """Tell people something, on standard error."""
        if style and sys.stderr is not None and sys.stderr.isatty():
            _console(sys.stderr).print(text, style=style, soft_wrap=True)
        else:
            _write(sys.stderr, text + "\n")

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        folded: Mapping[str, str] | None = None,
    ) -> None:
        """Print a table. Where the terminal is too narrow, columns of ``folded`` move under their partners."""
        from rich.table import Table

        console = _console(sys.stdout)
        table = _table(Table, columns, rows)
        unlimited = console.options.update(width=_UNLIMITED_COLUMNS)
        if folded and console.measure(table, options=unlimited).maximum > console.width:
            table = _table(Table, *_fold(columns, rows, folded))
            table.leading = 1
        console.print(table)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print names and values, one pair a line."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in pairs:
            table.add_row(name, value)
        _console(sys.stdout).print(table)

    def watched(self, results: Iterator[Result], doing: str, count: Callable[[], int]) -> Iterator[Result]:
        """Pass results on, with a progress bar on standard error where somebody would see it move.

        ``count`` says how many there will be, and is only asked then.
        """
        if sys.stderr is None or not sys.stderr.isatty():
            yield from results
            return
        with _progress() as progress:
            task = progress.add_task(doing, total=count())
            for number, result in enumerate(results, 1):
                if number % _STEP == 0:
                    progress.update(task, completed=number)
                yield result


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=_console(sys.stderr),
        transient=True,
    )


def _write(stream: TextIO | None, text: str) -> None:
    _write_unflushed(stream, text).flush()


def _write_unflushed(stream: TextIO | None, text: str) -> TextIO:
    if stream is None:  # closed before we began
        raise BrokenPipeError
    stream.write(text)
    return stream


def _console(stream: TextIO | None) -> Console:
    from rich.console import Console

    if stream is None:  # closed before we began
        raise BrokenPipeError
    width = None if stream.isatty() else _UNLIMITED_COLUMNS
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _table(kind: Any, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    from rich import box

    table = kind(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold", border_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", style="cyan" if number == 0 else "")
    for row in rows:
        table.add_row(*row)
    return table


def _fold(
    columns: Sequence[str], rows: Sequence[Sequence[str]], folded: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    kept = [number for number, column in enumerate(columns) if column not in folded]
    under = {columns.index(partner): columns.index(column) for column, partner in folded.items()}

    def merge(row: Sequence[str]) -> list[str]:
        return [row[place] + ("\n" + row[under[place]] if place in under else "") for place in kept]

    return merge(columns), [merge(row) for row in rows]
