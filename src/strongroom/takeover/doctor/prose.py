"""Keys and phrases that stand between other words: a note that somebody wrote. One is a key where it derives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from strongroom.crypto.phrase import LANGUAGES, WORD_COUNTS, words_of
from strongroom.takeover.doctor.wrappings import Inner

_LONGEST_CHARACTERS = 4_096
_MOST_TOKENS = 16
_MOST_RUNS = 8
_LONGEST_RUN = 40
_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{32,180}={0,2}(?![A-Za-z0-9+/_=-])")
_NAMED = re.compile(
    r"(?<![A-Za-z0-9_.-])([A-Za-z][A-Za-z0-9_.-]{0,40})\s{0,2}[=:]\s{0,2}['\"]?([A-Za-z0-9+/_-]{32,180}={0,2})(?![A-Za-z0-9+/_=-])"
)
"""A token behind a name, as lines of a log have it."""
_PLAIN_WORD = re.compile(r"(?:^|(?<= ))[^\W\d_]{2,}[,.:;!]?(?= |$)")
_LEAST_WORDS = 2
"""Words between spaces, of letters alone: without them a text is a list, a table or a program's."""
_WORD = re.compile(r"[^\W\d_]+")
_LAYER = "between other words"


def inner(text: str) -> Iterator[Inner]:
    """What could be a key between other words; more than was read stands in such a text."""
    if len(text) > _LONGEST_CHARACTERS or len(_PLAIN_WORD.findall(text)) < _LEAST_WORDS:
        return
    names = {token[2]: token[1] for token in _NAMED.finditer(text)}
    found = [*names, *(token[0] for token in _TOKEN.finditer(text) if token[0] not in {text, *names})]
    found = [*found[: _MOST_TOKENS + 1], *_phrases(text)]
    for each in found[:_MOST_TOKENS]:
        inside = Inner(_LAYER, each, encoding=False, trusted=False)
        yield inside.under(names[each]) if each in names else inside
    if found:
        yield Inner(_LAYER, "", encoding=False, secret=True)  # the other words are not read


def _phrases(text: str) -> list[str]:
    """Runs of words that are all in one list, in each length that a phrase may have."""
    words = [word.lower() for word in _WORD.findall(unicodedata.normalize("NFKD", text))]
    if len(words) <= min(WORD_COUNTS):
        return []
    runs = []
    for language in LANGUAGES:
        known = _known(language)
        run: list[str] = []
        for word in (*words, ""):
            if word in known:
                run.append(word)
                continue
            if min(WORD_COUNTS) <= len(run) <= _LONGEST_RUN and len(run) < len(words):
                runs += [run]
            run = []
    lengths = sorted(WORD_COUNTS, reverse=True)
    return [
        " ".join(run[start : start + size])
        for run in runs[:_MOST_RUNS]
        for size in ([len(run)] if len(run) in WORD_COUNTS else lengths)
        for start in range(len(run) - size + 1)
    ]


@cache
def _known(language: str) -> frozenset[str]:
    return frozenset(words_of(language))
