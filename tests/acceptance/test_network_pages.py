"""The page of a family says of each of its networks and variants what the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from strongroom.networks import TABLE
from strongroom.ports.network import Network

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "networks"
ROW = re.compile(
    r"^\| ([a-z0-9-]+) \| `([^`]+)` \| (\d+) \| ([a-z0-9-]+) \| `([^`]+)` \| ([\w-]+) \| (?:`([^`]+)`|imported) \|$",
    re.MULTILINE,
)


def family_of(network: Network) -> str:
    return type(network).__module__.split(".")[-2]


FAMILIES = sorted({family_of(network) for network in TABLE})


def rows_of(network: Network) -> set[tuple[str, ...]]:
    rows: set[tuple[str, ...]] = set()
    for variant in (*network.variants, *network.imported_variants):
        scheme = network.scheme(variant)
        facts = (network.name, network.caip2, str(network.coin_type), variant, scheme, network.curve(scheme))
        rows.add((*facts, _template(network, scheme)))
    return rows


def _template(network: Network, scheme: str) -> str:
    """The path with ``i`` in the place of the index."""
    paths = [network.path(scheme, index) for index in (1, 2)]
    if paths[0] is None or paths[1] is None:
        return ""
    pairs = zip(paths[0].split("/"), paths[1].split("/"), strict=True)
    return "/".join(one if one == other else one.replace("1", "i") for one, other in pairs)


def test_every_family_has_a_page() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {*FAMILIES, "README"}


def test_the_list_has_every_network_with_the_page_of_its_family() -> None:
    text = (PAGES / "README.md").read_text()
    rows = re.findall(r"^\| \[[^]]+\]\((\w+)\.md\) \| ([a-z0-9, -]+) \|$", text, re.MULTILINE)
    assert [(family, each) for family, names in rows for each in names.split(", ")] == [
        (family_of(TABLE.get(name)), name) for name in TABLE.names
    ]
    words = f"{len(TABLE.names)} networks of {len(FAMILIES)} families"
    assert words in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_has_every_network_and_variant_of_its_family(family: str) -> None:
    page = PAGES / f"{family}.md"
    expected = set().union(*(rows_of(network) for network in TABLE if family_of(network) == family))
    assert set(ROW.findall(page.read_text())) == expected
