"""Warnings of the library, as the command line tells them: without the place in the code that raised them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from strongroom.cli.output import CommandOutput


@contextmanager
def told_warnings(out: CommandOutput) -> Iterator[None]:
    """Print each warning of strongroom's as a message; others, such as Python's own, stay as they are."""
    from strongroom.errors import PhraseCaseWarning, PreparedStatementsWarning, SharedKeyWarning

    ours = (PhraseCaseWarning, PreparedStatementsWarning, SharedKeyWarning)
    with warnings.catch_warnings():
        otherwise = warnings.showwarning

        def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, ours):
                out.message(f"Warning: {message}", style="yellow")
            else:
                otherwise(message, category, *place, **more)

        warnings.showwarning = show
        for category in ours:
            warnings.simplefilter("always", category)
        yield
