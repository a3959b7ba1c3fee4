"""What a command prints: one JSON document, or tables and lines for people.

Everything for people passes ``printable``: rows, plans, URLs and errors hold what somebody else wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from strongroom.cli.wrapping import wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from strongroom.takeover import Progress as Report

Result = TypeVar("Result")
Cell = str | tuple[str, ...]
"""A cell of a table: text, or several, one a line."""

_STEP = 50  # results between two movements of a progress bar
_UNLIMITED_COLUMNS = 1000  # a table that goes into a pipe or a file is not cut
_JSON_LEAVES = {0x7F: "\\u007f"}  # ensure_ascii escapes every other character that a terminal would obey


def printable(text: str) -> str:
    """One line of text, with nothing in it that a terminal would obey or that would hide or reorder what it shows.

    Control characters (C0, DEL, C1, line ends too), bidirectional and other format characters, and lone surrogates
    are written as Python would escape them: ``\\x1b``, ``\\u202e``. Everything else stays, in any script.
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 wallet``, ``2,000 wallets``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def as_json(value: Any) -> str:
    """JSON on one line, in ASCII and without DEL: every other character is escaped."""
    return json.dumps(value).translate(_JSON_LEAVES)


class CommandOutput:
    """Data go to standard output, messages to standard error."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def document(self, value: Mapping[str, Any]) -> None:
        """Print the one JSON document."""
        _write(sys.stdout, as_json(value) + "\n")

    def pieces(self, parts: Iterable[str]) -> None:
        """Print a JSON document that is made while it is printed, with ``as_json``."""
        for part in parts:
            _write_unflushed(sys.stdout, part)
        _write(sys.stdout, "")

    def script(self, text: str) -> None:
        """Print lines for a program, such as SQL: as they are into a file or a pipe, and printable on a terminal."""
        if sys.stdout is not None and sys.stdout.isatty():
            text = _printable_lines(text)
        _write(sys.stdout, text if text.endswith("\n") else text + "\n")

    def heading(self, text: str) -> None:
        """Print the title of a part of a report."""
        self.line()
        self.marked("bold", text, "")

    def marked(self, style: str, name: str, text: str) -> None:
        """Print a line of data that begins with a name in a style, where that can be seen."""
        if sys.stdout is not None and sys.stdout.isatty():
            from rich.text import Text

            shown = Text.assemble((printable(name), style), f"  {printable(text)}" if text else "")
            _console(sys.stdout).print(shown, soft_wrap=True)
        else:
            self.line(f"{name}  {text}" if text else name)

    def markdown(self, text: str) -> None:
        """Print Markdown as a terminal can show it."""
        from rich.markdown import Markdown

        _console(sys.stdout).print(Markdown(_printable_lines(text)))

    def line(self, text: str = "") -> None:
        """Print a line of data."""
        _write(sys.stdout, wrapped(printable(text), sys.stdout) + "\n")

    def secret(self, text: bytes) -> None:
        """Print a secret as a line of its own, in UTF-8 whatever the locale says."""
        _write(sys.stdout, "")
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.buffer.flush()

    def message(self, text: str, style: str = "") -> None:
        """Tell people something, on standard error."""
        shown = wrapped(printable(text), sys.stderr)
        if style and sys.stderr is not None and sys.stderr.isatty():
            _console(sys.stderr).print(shown, style=style, soft_wrap=True)
        else:
            _write(sys.stderr, shown + "\n")

    def passage(self, text: str) -> None:
        """Tell people several lines, on standard error."""
        _write(sys.stderr, _printable_lines(text) + "\n")

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        folded: Mapping[str, str] | None = None,
    ) -> None:
        """Print a table. Where the terminal is too narrow, columns of ``folded`` move under their partners, and all of
        them under the first where that is not enough: an id is not broken."""
        from rich.table import Table

        console = _console(sys.stdout)
        shown = [[_cell(each) for each in row] for row in rows]
        table = _table(Table, columns, shown)
        unlimited = console.options.update(width=_UNLIMITED_COLUMNS)
        for each in () if not folded else (folded, dict.fromkeys(columns[1:], columns[0])):
            if console.measure(table, options=unlimited).maximum > console.width:
                table = _table(Table, *_fold(columns, shown, each))
                table.leading = 1
        _print(console, table)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print names and values, one pair a line."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in pairs:
            table.add_row(printable(name), printable(value))
        _print(_console(sys.stdout), table)

    @contextmanager
    def progress(self) -> Iterator[ProgressBars | None]:
        """What a verb reports its progress to; None where nobody would see it."""
        if sys.stderr is None or not sys.stderr.isatty():
            yield None
            return
        bars = ProgressBars()
        try:
            yield bars
        finally:
            bars.close()

    def with_progress(self, results: Iterator[Result], doing: str, count: Callable[[], int]) -> Iterator[Result]:
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


class ProgressBars:
    """Shows the steps of a verb, one bar after the other, on standard error where somebody would see them move."""

    def __init__(self) -> None:
        self._bar: tuple[Progress, TaskID] | None = None

    def __call__(self, report: Report) -> None:
        """Move the bar of the step, which is made by its first report and taken away by its last."""
        if report.finished:
            self.close()
        elif report.total == 0:
            return
        elif self._bar is None:
            bars = _progress()
            bars.start()
            self._bar = bars, bars.add_task(report.step.capitalize(), total=report.total)
        elif report.done % _STEP == 0:
            bars, task = self._bar
            bars.update(task, completed=report.done)

    def close(self) -> None:
        """Remove the bar from the terminal; nothing is drawn afterwards."""
        if self._bar is not None:
            self._bar[0].stop()
            self._bar = None


def _print(console: Console, renderable: Any) -> None:
    """Print what rich has laid out. Into a pipe or a file no line ends in blanks."""
    if console.file.isatty():
        console.print(renderable)
        return
    with console.capture() as captured:
        console.print(renderable)
    _write(sys.stdout, "".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def _printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _cell(cell: Cell) -> str:
    return printable(cell) if isinstance(cell, str) else "\n".join(printable(line) for line in cell)


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
    under: dict[int, list[int]] = {}
    for column, partner in folded.items():
        if column in columns:
            under.setdefault(columns.index(partner), []).append(columns.index(column))

    def merge(row: Sequence[str]) -> list[str]:
        return ["\n".join((row[place], *(row[below] for below in under.get(place, ())))) for place in kept]

    return merge(columns), [merge(row) for row in rows]
