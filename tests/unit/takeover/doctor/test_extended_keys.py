"""Extended private keys: the stored address is looked for among the keys that wallets derive below one."""

from __future__ import annotations

import json

import pytest
from bip_utils import Bip32Slip10Secp256k1, Bip39SeedGenerator

from strongroom.networks import TABLE
from strongroom.networks.codecs import base58
from strongroom.takeover.doctor.derivation import Derivation
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.remainders import holds_more
from testbed.networks.key_forms import DERIVATION, Family, address_of, target_of

PHRASE = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
ROOT = Bip32Slip10Secp256k1.FromSeed(Bip39SeedGenerator(PHRASE).Generate())
VERSIONS = {"xprv": "0488ade4", "yprv": "049d7878", "zprv": "04b2430c", "tprv": "04358394"}
CASES: list[tuple[Family, str, str]] = [
    (("ethereum", None), "m", "m/44'/60'/0'/0/0"),
    (("ethereum", None), "m", "m/44'/60'/2'/0/0"),
    (("ethereum", None), "m", "m"),
    (("ethereum", None), "m/44'/60'/0'", "m/44'/60'/0'/0/3"),
    (("ethereum", None), "m/44'/60'/7'", "m/44'/60'/7'/0/1"),
    (("ethereum", None), "m/44'/60'/0'/0", "m/44'/60'/0'/0/19"),
    (("ethereum", None), "m/44'/60'/0'/0/5", "m/44'/60'/0'/0/5"),
    (("bitcoin", None), "m", "m/84'/0'/0'/0/0"),
    (("bitcoin", None), "m/84'/0'/0'", "m/84'/0'/0'/1/4"),
    (("bitcoin", "nested"), "m/49'/0'/3'", "m/49'/0'/3'/0/2"),
    (("bitcoin", "legacy"), "m/44'/0'/0'", "m/44'/0'/0'/0/0"),
    (("bitcoin", "taproot"), "m", "m/86'/0'/1'/0/0"),
    (("bitcoin-testnet", None), "m/84'/1'/0'", "m/84'/1'/0'/0/0"),
]


def key_at(path: str) -> bytes:
    return bytes((ROOT.DerivePath(path) if path != "m" else ROOT).PrivateKey().Raw().ToBytes())


def extended(path: str, version: str = "xprv") -> str:
    text = (ROOT.DerivePath(path) if path != "m" else ROOT).PrivateKey().ToExtended()
    return base58.encode_check(bytes.fromhex(VERSIONS[version]) + (base58.decode_check(text) or b"")[4:])


@pytest.mark.parametrize(
    ("version", "written"),
    [*((version, "{}") for version in VERSIONS), ("xprv", '{{"backup": "{}"}}'), ("xprv", "XPRV={}")],
)
@pytest.mark.parametrize(("family", "given", "path"), CASES)
def test_the_address_of_a_key_below_an_extended_one_is_found(
    family: Family, given: str, path: str, version: str, written: str
) -> None:
    target = target_of(family, address_of(family, key_at(path)))
    found = DERIVATION.reading(read(written.format(extended(given, version))), target)
    content = DERIVATION.explain(found, target)
    assert content is not None, "it is found"
    assert content.material is not None
    assert content.material.private_key.reveal() == key_at(path)
    assert (content.material.path, content.material.mnemonic) == (None, None), "no phrase derives it"
    assert content.child.count("/") == path.count("/") - given.count("/")
    assert holds_more(found, content, DERIVATION), "the others below it are not to be lost"


def test_a_path_that_somebody_named_is_tried() -> None:
    named = Derivation(TABLE, ("m/44'/60'/0'/9/77", "m/5/77"))
    for path in ("m/44'/60'/0'/9/77", "m/44'/60'/0'/5/77"):
        target = target_of(("ethereum", None), address_of(("ethereum", None), key_at(path)))
        text = read(extended("m/44'/60'/0'"))
        assert DERIVATION.explain(text, target) is None
        assert named.explain(text, target) is not None, path


def test_an_extended_key_of_another_wallet_is_named_and_not_taken() -> None:
    target = target_of(("ethereum", None), address_of(("ethereum", None), b"\x07" * 32))
    for given in ("m", "m/44'/60'/0'", "m/0/1/2/3/4/5/6"):
        found = DERIVATION.reading(read(json.dumps({"key": extended(given)})), target)
        assert found.named_only
        assert DERIVATION.explain(found, target) is None


def test_a_key_out_of_range_is_none() -> None:
    for key in (bytes(32), b"\xff" * 32):
        data = (base58.decode_check(extended("m")) or b"")[:-32] + key
        assert not read(base58.encode_check(data)).named_only
