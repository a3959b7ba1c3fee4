"""Where wallets keep the keys of a phrase. Expected addresses come from bip_utils, eth-keys and solders."""

from __future__ import annotations

from unittest import mock

import pytest

from strongroom.crypto import phrase_search
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidPathError
from strongroom.networks import TABLE
from strongroom.networks.solana.conventions import SOLLET
from strongroom.records import conventions
from strongroom.records.conventions import Convention, derivation_paths
from strongroom.secret import Secret
from testbed.networks.conventions import KNOWN, MNEMONIC, oracle

NETWORKS = (
    *("polkadot", "kusama", "cardano"),
    "ethereum",
    "bitcoin",
    "bitcoin-testnet",
    "solana",
    "ton",
    "xrp",
    "stellar",
    "cosmos",
    "kava",
    "injective",
    "tron",
    "tezos",
    "algorand",
    *("litecoin", "litecoin-testnet", "dogecoin", "bitcoin-cash", "dash", "zcash"),
    "aptos",
    "sui",
    "near",
    "hedera",
)
EVERY = [(name, each) for name in NETWORKS for each in TABLE.get(name).conventions]


@pytest.fixture(scope="module")
def phrase() -> Phrase:
    return Phrase.parse(Secret.from_text(MNEMONIC))


@pytest.mark.parametrize("place", KNOWN, ids=str)
def test_addresses_that_wallets_showed_are_found(place: tuple[str, str, str | None], phrase: Phrase) -> None:
    network, scheme, path = place
    assert oracle(*place) == KNOWN[place]
    found = phrase_search.find(TABLE.get(network), phrase, KNOWN[place]).material
    assert found is not None
    assert (found.scheme, found.path) == (scheme, path)


@pytest.mark.parametrize(("network", "convention"), EVERY, ids=lambda each: str(getattr(each, "path", each)))
def test_what_each_convention_derives_is_found(network: str, convention: Convention, phrase: Phrase) -> None:
    chain = TABLE.get(network)
    numbers = [(0, 0), (conventions.LAST_RARE, 0), (0, conventions.LAST_RARE)]
    if not convention.rare:
        numbers += [(conventions.LAST, 0), (0, conventions.LAST), (conventions.BOTH, conventions.BOTH)]
    for account, index in numbers:
        path = None if convention.path is None else convention.path.format(account=account, index=index)
        address = oracle(network, convention.scheme, path)
        found = phrase_search.find(chain, phrase, address).material
        assert found is not None, path
        assert chain.public_half(found.private_key, found.scheme).address == address
        again = chain.derive(phrase, found.scheme, found.path)
        assert again.private_key.reveal() == found.private_key.reveal()


@pytest.mark.parametrize("network", NETWORKS)
def test_conventions_name_their_wallets_and_sources_and_are_tried_once_each(network: str) -> None:
    chain = TABLE.get(network)
    assert all(each.wallets and each.source and each.scheme in chain.schemes for each in chain.conventions)
    tried = derivation_paths(chain.conventions)
    assert len(set(tried)) == len(tried)
    assert tried[0].path == chain.path(chain.schemes[0]), "the usual place comes first"
    address = oracle(network, chain.schemes[0], chain.path(chain.schemes[0]))
    assert phrase_search.count(chain, address) < 500, "work is bounded"


@pytest.mark.parametrize("network", NETWORKS)
def test_an_address_of_another_phrase_is_derived_by_none(network: str, phrase: Phrase) -> None:
    chain = TABLE.get(network)
    other = Phrase.parse(
        Secret.from_text("legal winner thank year wave sausage worth useful legal winner thank yellow")
    )
    address = chain.public_half(chain.derive(other, chain.schemes[0]).private_key, chain.schemes[0]).address
    found = phrase_search.find(chain, phrase, address)
    assert (found.material, found.tried) == (None, phrase_search.count(chain, address))


def test_paths_that_are_named_come_first_and_may_be_all() -> None:
    phrase, chain = Phrase.parse(Secret.from_text(MNEMONIC)), TABLE.get("solana")
    path = "m/44'/501'/77'/0'"
    address = oracle("solana", "slip10", path)
    assert phrase_search.find(chain, phrase, address).material is None
    for named_only in (True, False):
        found = phrase_search.find(chain, phrase, address, ["m/44'/501'/76'/0'", path], named_only=named_only)
        assert found.material is not None
        assert (found.material.path, found.tried <= 4) == (path, True)
    usual = oracle("solana", "slip10", "m/44'/501'/0'/0'")
    assert phrase_search.find(chain, phrase, usual, [path], named_only=True).material is None
    assert phrase_search.find(chain, phrase, usual, [path]).material is not None
    with pytest.raises(InvalidPathError):
        phrase_search.find(chain, phrase, usual, ["44'/501'"])


def test_the_key_of_sollet_is_one_of_bip32_and_not_of_slip10(phrase: Phrase) -> None:
    chain = TABLE.get("solana")
    address = oracle("solana", SOLLET, "m/501'/0'/0/0")
    found = phrase_search.find(chain, phrase, address).material
    assert found is not None
    assert (found.scheme, found.path) == ("sollet", "m/501'/0'/0/0")


def test_the_seed_is_stretched_once_and_inner_nodes_are_derived_once() -> None:
    import strongroom.crypto.phrase as module
    from strongroom.networks.curves import secp256k1

    chain = TABLE.get("ethereum")
    with (
        mock.patch.object(module, "_stretch", wraps=module._stretch) as stretched,
        mock.patch.object(secp256k1, "public_key", wraps=secp256k1.public_key) as points,
    ):
        found = phrase_search.find(chain, Phrase.parse(Secret.from_text(MNEMONIC)), "0x" + "00" * 20)
    assert stretched.call_count == 1
    assert points.call_count < 2 * found.tried, "one for the address, and one for each inner node"


def test_a_phrase_keeps_its_branches_to_itself(phrase: Phrase) -> None:
    phrase_search.find(TABLE.get("ethereum"), phrase, "0x" + "00" * 20)
    assert (repr(phrase), repr(phrase.branches)) == ("<Phrase>", "<Branches>")
