"""The chains that have a name, compared with a published list, which is no part of the project.

``STRONGROOM_CHAIN_LIST`` names a checkout of ethereum-lists/chains (or its ``_data/chains``), or the one document that
https://chainid.network/chains.json has; where it names nothing, the comparison is not collected.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from strongroom.networks.evm.chains import CHAINS

LISTED_AS = {
    "ethereum-sepolia": "sepolia",
    "ethereum-holesky": "holesky",
    "ethereum-hoodi": "hoodi",
    "optimism": "op mainnet",
    "optimism-sepolia": "op sepolia",
    "bnb": "bnb smart chain",
    "bnb-testnet": "bnb smart chain testnet",
    "arbitrum": "arbitrum one",
    "sei-evm": "sei",
    "sei-evm-testnet": "sei testnet",
    "kava-evm": "kava",
    "hyperevm": "hyper",
    "hyperevm-testnet": "hyper testnet",
}
"""Words of the published name, where our name has others."""


def _published(where: Path) -> dict[int, dict[str, Any]]:
    if where.is_file():
        listed = json.loads(where.read_text(encoding="utf-8"))
    else:
        files = [*where.glob("eip155-*.json"), *where.glob("_data/chains/eip155-*.json")]
        listed = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {each["chainId"]: each for each in listed}


def _letters(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())


def test_every_name_and_id_is_that_of_a_published_list(chain_list: Path) -> None:
    published = _published(chain_list)
    assert len(published) > 500, "no list of chains, or a part of one"
    for chain in CHAINS:
        said = published[chain.chain_id]
        names = _letters(" ".join(str(said.get(field, "")) for field in ("name", "title", "shortName", "chain")))
        words = LISTED_AS.get(chain.name, chain.name.replace("-", " ")).split()
        assert all(_letters(word) in names for word in words), (chain.name, said["name"])
        assert said["nativeCurrency"]["decimals"] == 18, chain.name


def test_no_id_is_in_the_table_twice() -> None:
    assert len({chain.chain_id for chain in CHAINS}) == len(CHAINS)


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.name)
def test_a_testnet_has_the_limit_of_its_chain_and_an_explorer_a_place_for_the_address(chain: Any) -> None:
    limits = {each.name: each.fee_limit_wei for each in CHAINS}
    of = re.sub("-(sepolia|holesky|hoodi|amoy|fuji|testnet|chiado|bepolia|coston2)$", "", chain.name)
    assert chain.fee_limit_wei == limits[of]
    assert chain.explorer is None or re.fullmatch(r"https://[a-z0-9.-]+/address/\{address\}", chain.explorer)
