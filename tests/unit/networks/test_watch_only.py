"""What watches an account derives what the vault derives; other libraries are the judges."""

from __future__ import annotations

import pytest
from bip_utils import Bip32Slip10Secp256k1, EthAddrEncoder
from embit.descriptor import Descriptor  # type: ignore[import-untyped]
from embit.networks import NETWORKS  # type: ignore[import-untyped]

from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.networks.watched_branch import checksum
from strongroom.ports.network import WatchOnlyNetwork
from strongroom.records.watch_only import WatchedBranch, branch_of
from strongroom.secret import Secret

WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
SCHEMES = {"bip44": "pkh(", "bip49": "sh(wpkh(", "bip84": "wpkh(", "bip86": "tr("}
PREFIXES = {
    ("bitcoin", "bip44"): ("xpub", None),
    ("bitcoin", "bip49"): ("xpub", "ypub"),
    ("bitcoin", "bip84"): ("xpub", "zpub"),
    ("bitcoin", "bip86"): ("xpub", None),
    ("bitcoin-testnet", "bip44"): ("tpub", None),
    ("bitcoin-testnet", "bip49"): ("tpub", "upub"),
    ("bitcoin-testnet", "bip84"): ("tpub", "vpub"),
    ("bitcoin-testnet", "bip86"): ("tpub", None),
}
PUBLISHED = {
    ("bitcoin", "bip84"): (
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
    ),
    ("bitcoin", "bip86"): (
        "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"
    ),
}
"""The account's public keys in BIP-84 and BIP-86, of this phrase."""


def phrase() -> Phrase:
    return Phrase.parse(Secret.from_text(WORDS))


def watched(network: str, scheme: str, template: str) -> WatchedBranch:
    chain = TABLE.get(network)
    assert isinstance(chain, WatchOnlyNetwork)
    return chain.watched(phrase(), scheme, template)


def template_of(network: str, scheme: str) -> str:
    return str(TABLE.get(network).path(scheme, 0)).removesuffix("0") + "{index}"


def address_at(network: str, scheme: str, path: str) -> str:
    """What the vault derives, from the private key."""
    chain = TABLE.get(network)
    return chain.public_half(chain.derive(phrase(), scheme, path).private_key, scheme).address


@pytest.mark.parametrize(("network", "scheme"), PREFIXES)
def test_the_descriptor_of_an_account_derives_its_addresses(network: str, scheme: str) -> None:
    template = template_of(network, scheme)
    branch = watched(network, scheme, template)
    xpub, slip132 = PREFIXES[network, scheme]
    assert branch.xpub.startswith(xpub)
    assert (branch.slip132 or "")[:4] == (slip132 or "")
    assert branch.descriptor is not None
    assert branch.descriptor.startswith(
        f"{SCHEMES[scheme]}[73c5da0a/{branch.path.removeprefix('m/').replace(chr(39), 'h')}]"
    )
    text, _, sum_of_it = branch.descriptor.partition("#")
    descriptor = Descriptor.from_string(text)
    chain = NETWORKS["main" if network == "bitcoin" else "test"]
    for index in (0, 1, 7, 2**31 - 1):
        path = template.replace("{index}", str(index))
        assert descriptor.derive(index).address(chain) == address_at(network, scheme, path)
        found = TABLE.get(network)
        assert isinstance(found, WatchOnlyNetwork)
        assert found.watched_address(branch, scheme, path) == address_at(network, scheme, path)
    assert checksum(text) == sum_of_it


@pytest.mark.parametrize(("network", "scheme"), PUBLISHED)
def test_the_account_keys_that_the_standards_print(network: str, scheme: str) -> None:
    branch = watched(network, scheme, template_of(network, scheme))
    assert PUBLISHED[network, scheme] in (branch.xpub, branch.slip132)


@pytest.mark.parametrize(
    "template", ["m/44'/60'/0'/0/{index}", "m/44'/60'/7'/0/{index}", "m/44'/60'/0'/{index}", "m/{index}"]
)
def test_an_xpub_of_an_evm_chain_derives_its_addresses(template: str) -> None:
    branch = watched("polygon", "bip44", template)
    assert branch.path == branch_of(template)
    assert (branch.slip132, branch.descriptor) == (None, None)
    node = Bip32Slip10Secp256k1.FromExtendedKey(branch.xpub)
    assert node.IsPublicOnly()
    below = template.removeprefix(branch.path).strip("/").split("/")
    for index in (0, 5, 2**31 - 1):
        child = node
        for element in below:
            child = child.ChildKey(int(element.replace("{index}", str(index))))
        path = template.replace("{index}", str(index))
        assert EthAddrEncoder.EncodeKey(child.PublicKey().KeyObject()) == address_at("polygon", "bip44", path)


def test_an_index_that_is_not_last_has_no_descriptor() -> None:
    assert watched("bitcoin", "bip84", "m/84'/0'/0'/{index}/0").descriptor is None
    other = watched("bitcoin", "bip84", "m/{index}").descriptor
    assert other is not None
    assert other.startswith("wpkh([73c5da0a]xpub")


def test_what_watches_prints_no_key() -> None:
    branch = watched("bitcoin", "bip84", "m/84'/0'/0'/0/{index}")
    assert repr(branch) == "<WatchedBranch m/84'/0'/0'>"


@pytest.mark.parametrize(
    ("path", "branch"),
    [
        ("m/84'/0'/0'/0/7", "m/84'/0'/0'"),
        ("m/44'/501'/7'/0'", "m/44'/501'/7'/0'"),
        ("m", "m"),
        ("m/1/2", "m"),
        ("m/44'/60'/{index}'/0/0", "m/44'/60'/{index}'"),
        ("m/0/1'/2", "m/0/1'"),
    ],
)
def test_a_branch_ends_with_the_last_hardened_element(path: str, branch: str) -> None:
    assert branch_of(path) == branch


def test_published_checksums() -> None:
    """BIP-380, "Test Vectors"."""
    assert checksum("raw(deadbeef)") == "89f8spxm"
    assert checksum("raw(Ü)") is None
    for text in ("raw(dedbeef)", "raw(deadbeee)", "raw(deadbeef) ", "RAW(deadbeef)"):
        assert checksum(text) != "89f8spxm"
    assert (
        checksum(
            "wpkh([d34db33f/84h/0h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqNiUtx8QX2SvC9nrHu81fT41fvDUnhMjEzQgXnQjKEu3oaqMSzhSrHMxyyoEAmUHQbY/0/*)"
        )
        == "cjjspncu"
    )
