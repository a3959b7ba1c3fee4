"""Where the pages of the documentation are: in the installed package, or next to a checkout's source."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def _folder() -> Traversable:
    shipped = resources.files("strongroom") / "pages"
    return shipped if shipped.is_dir() else Path(__file__).parents[3] / "docs"


def page_names() -> list[str]:
    """The names of all pages, in order; none where the package was built without them."""
    folder = _folder()
    if not folder.is_dir():
        return []
    return sorted(each.name.removesuffix(".md") for each in folder.iterdir() if each.name.endswith(".md"))


def read_page(name: str) -> str:
    """The text of one of ``page_names``, in Markdown."""
    return (_folder() / f"{name}.md").read_text("utf-8")
