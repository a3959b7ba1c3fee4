"""docs/signing.md lists what the networks declare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from strongroom.networks import TABLE
from strongroom.ports.signing import SigningNetwork

DOCS = (Path(__file__).parents[2] / "docs" / "signing.md").read_text()
GENERAL = {"allow_retired", "dangerous"}
"""Options that the page describes once, for all networks."""


def verbs() -> dict[str, str]:
    section = DOCS.partition("\n## One verb\n")[2].partition("\n## ")[0]
    return {verb: kind for kind, verb in re.findall(r"^\| `([a-z-]+)` \| `(\w+)`", section, re.MULTILINE)}


@pytest.mark.parametrize(("heading", "name"), [("EVM", "ethereum"), ("Bitcoin", "bitcoin"), ("Solana", "solana")])
def test_the_table_of_a_family_is_its_declaration(heading: str, name: str) -> None:
    section = DOCS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) ?\|$", section, re.MULTILINE)
    network = TABLE.get(name)
    assert isinstance(network, SigningNetwork)
    documented = {verbs()[verb]: set(re.findall(r"`(\w+)`", options)) for verb, _, options in rows}
    choices = {choice for kind in network.signing_kinds.values() for each in kind.options for choice in each.choices}
    assert {kind: options - choices for kind, options in documented.items()} == {
        kind.name: set(kind.by_name) - GENERAL for kind in network.signing_kinds.values()
    }


def test_retired_wallets_sign_what_the_page_says() -> None:
    signs = {name for network in TABLE if isinstance(network, SigningNetwork) for name in network.signing_kinds}
    for network in TABLE:
        for name, kind in network.signing_kinds.items() if isinstance(network, SigningNetwork) else ():
            assert ("allow_retired" in kind.by_name) == (name not in ("authorization", "digest"))
    assert signs == set(verbs().values())
