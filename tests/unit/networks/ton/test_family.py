"""TON: contracts, forms of addresses, and the 24 words that are no BIP-39 phrase. Oracles: bip_utils, pytoniq-core."""

from __future__ import annotations

import base64
import binascii

import pytest
from bip_utils import Bip32Slip10Ed25519, Bip39SeedGenerator, Ton, TonAddrVersions
from bip_utils.ton.addr.ton_v3r2_addr_encoder import TonV3R2AddrEncoderConst
from bip_utils.ton.addr.ton_v4_addr_encoder import TonV4AddrEncoderConst
from bip_utils.ton.addr.ton_v5r1_addr_encoder import TonV5R1AddrEncoderConst
from hypothesis import given, settings
from hypothesis import strategies as st
from pytoniq_core import Address, Cell, StateInit, begin_cell
from solders.keypair import Keypair

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.ton import contracts, words
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import read as read_text
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.key_forms import DERIVATION, ton_words
from testbed.networks.known import phrase, phrases

TON, TESTNET = TABLE.get("ton"), TABLE.get("ton-testnet")
SLOW = settings(max_examples=examples(25), deadline=None)
SEEDS = st.binary(min_size=32, max_size=32)
WALLET = "UQBHyu-oZVDHRYQ1-rKlGqpHy5yAqanPBirEQNMNOmfHLtaT"
ACCOUNT = base64.urlsafe_b64decode(WALLET)[2:34]
VERSIONS = {"v5r1": TonAddrVersions.V5R1, "v4r2": TonAddrVersions.V4, "v3r2": TonAddrVersions.V3R2}
CODES = {"v5r1": TonV5R1AddrEncoderConst, "v4r2": TonV4AddrEncoderConst, "v3r2": TonV3R2AddrEncoderConst}
WORDS = (
    "consider family result dizzy property jungle task fiscal person item family sibling "
    "sport rebel ceiling fire crash produce ceiling pulp trigger sell scare few"
)
SEED = "b2efd90c0f28489ef8e43800e779f6e51853ebcb2602c7aab768aca630d7e4c3"
BOTH = (
    "across belt enforce quit anxiety useful cute lunar cigar neither month reduce "
    "stool wide stand idle melt wall blade easily thank web write into"
)
"""A phrase of BIP-39 that passes TON's check, too: one in 256 does."""


def read(text: str) -> bytes:
    return TON.parse_private_key(Secret.from_text(text)).reveal()


def friendly(tag: int, workchain: int = 0, account: bytes = ACCOUNT) -> str:
    data = bytes((tag, workchain & 0xFF)) + account
    return base64.urlsafe_b64encode(data + binascii.crc_hqx(data, 0).to_bytes(2)).decode()


@pytest.mark.parametrize("scheme", CODES)
def test_the_constants_of_a_contract_are_those_of_its_code(scheme: str) -> None:
    code = Cell.one_from_boc(CODES[scheme].CONTRACT_CODE)
    assert contracts._CODES[scheme] == (code.hash, code.get_depth(0))


@pytest.mark.parametrize("scheme", CODES)
@pytest.mark.parametrize("network", [TON, TESTNET], ids=["ton", "ton-testnet"])
@SLOW
@given(SEEDS)
def test_an_address_is_the_hash_that_pytoniq_computes(network: object, scheme: str, seed: bytes) -> None:
    public = bytes(Keypair.from_seed(seed).pubkey())
    global_id = -239 if network is TON else -3
    if scheme == "v5r1":
        wallet_id = (global_id ^ -(1 << 31)) & 0xFFFFFFFF
        data = begin_cell().store_bit(1).store_uint(0, 32).store_uint(wallet_id, 32).store_bytes(public).store_bit(0)
    else:
        data = begin_cell().store_uint(0, 32).store_uint(698983191, 32).store_bytes(public)
        data = data.store_bit(0) if scheme == "v4r2" else data
    state = StateInit(code=Cell.one_from_boc(CODES[scheme].CONTRACT_CODE), data=data.end_cell())
    theirs = Address((0, state.serialize().hash)).to_str(is_bounceable=False, is_test_only=network is TESTNET)
    assert network.public_half(Secret(seed), scheme).address == theirs  # type: ignore[attr-defined]


@SLOW
@given(phrases(), st.integers(0, 2**31 - 1))
def test_addresses_of_a_phrase_are_those_of_bip_utils(words: str, index: int) -> None:
    tree = Bip32Slip10Ed25519.FromSeedAndPath(Bip39SeedGenerator(words).Generate(), f"m/44'/607'/{index}'")
    theirs = Ton(tree.PrivateKey().Raw().ToBytes())
    for scheme, version in VERSIONS.items():
        key = TON.derive(phrase(words), scheme, TON.path(scheme, index)).private_key
        assert TON.public_half(key, scheme).address == theirs.GetAddress(version)


def test_version_5_has_an_address_of_its_own_on_each_network_and_the_others_share_theirs() -> None:
    key = TON.derive(phrase(), "v5r1").private_key
    accounts = {
        (network.name, scheme): Address(network.public_half(key, scheme).address).hash_part
        for network in (TON, TESTNET)
        for scheme in VERSIONS
    }
    assert accounts["ton", "v5r1"] != accounts["ton-testnet", "v5r1"]
    assert accounts["ton", "v4r2"] == accounts["ton-testnet", "v4r2"]
    assert accounts["ton", "v3r2"] == accounts["ton-testnet", "v3r2"]
    assert len(set(accounts.values())) == 4


# --- addresses -----------------------------------------------------------------------------------------------


def test_every_form_of_an_address_is_read_and_the_form_for_wallets_comes_back() -> None:
    bounceable = friendly(0x11)
    raw = "0:" + ACCOUNT.hex()
    assert bounceable.startswith("EQ")
    standard = [each.replace("-", "+").replace("_", "/") for each in (WALLET, bounceable)]
    for text in (WALLET, bounceable, raw, raw.upper(), *standard):
        assert TON.parse_address(text) == WALLET
    assert TESTNET.parse_address(raw) == TESTNET.parse_address(friendly(0x91)) == friendly(0xD1)
    assert friendly(0xD1).startswith("0Q")
    assert friendly(0x91).startswith("kQ")


@SLOW
@given(SEEDS, st.sampled_from((0, -1)))
def test_forms_of_addresses_are_those_of_pytoniq(account: bytes, workchain: int) -> None:
    theirs = Address((workchain, account))
    canonical = theirs.to_str(is_bounceable=False)
    for bounceable in (True, False):
        for safe in (True, False):
            assert TON.parse_address(theirs.to_str(is_bounceable=bounceable, is_url_safe=safe)) == canonical
            test = theirs.to_str(is_bounceable=bounceable, is_url_safe=safe, is_test_only=True)
            assert TESTNET.parse_address(test) == theirs.to_str(is_bounceable=False, is_test_only=True)
            with pytest.raises(InvalidAddressError):
                TON.parse_address(test)
    assert TON.parse_address(theirs.to_str(is_user_friendly=False)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        WALLET[:-1],
        WALLET + "=",
        WALLET + "A",
        WALLET[:-1] + "U",
        WALLET.lower(),
        " " + WALLET,
        WALLET + "\0",
        friendly(0x91),  # of the testnet
        friendly(0xD1),
        friendly(0x12),
        friendly(0x00),
        friendly(0x51, 1),
        friendly(0x51, -2),
        "0:" + ACCOUNT.hex()[:-1],
        "0:" + ACCOUNT.hex() + "0",
        "1:" + ACCOUNT.hex(),
        "00:" + ACCOUNT.hex(),
        "-0:" + ACCOUNT.hex(),
        "-2:" + ACCOUNT.hex(),
        "0x:" + ACCOUNT.hex(),
        ACCOUNT.hex(),
        "0:" + ACCOUNT.hex() + "\n",
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
        "U" * 1_000_000,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        TON.parse_address(text)


@given(st.integers(0, 287))
def test_one_wrong_bit_is_refused(bit: int) -> None:
    data = bytearray(base64.urlsafe_b64decode(WALLET))
    data[bit // 8] ^= 1 << bit % 8
    for network in (TON, TESTNET):
        with pytest.raises(InvalidAddressError):
            network.parse_address(base64.urlsafe_b64encode(bytes(data)).decode())


def test_a_mixture_of_both_alphabets_is_refused() -> None:
    account = next(
        each for n in range(10_000) if {"-", "_"} <= set(friendly(0x51, account=(each := n.to_bytes(32)[::-1])))
    )
    text = friendly(0x51, account=account)
    assert TON.parse_address(text) == text
    with pytest.raises(InvalidAddressError):
        TON.parse_address(text.replace("-", "+"))


# --- keys ----------------------------------------------------------------------------------------------------


@given(SEEDS)
def test_a_seed_and_a_keypair_are_read_and_the_seed_comes_back(seed: bytes) -> None:
    keypair = bytes(Keypair.from_seed(seed))
    forms = (seed.hex(), "0x" + seed.hex(), keypair.hex(), base64.b64encode(keypair).decode(), f" {keypair.hex()}\n")
    assert all(read(form) == seed for form in forms)
    assert TON.format_private_key(Secret(seed)).reveal_text() == seed.hex()


@given(SEEDS, st.integers(0, 511))
def test_a_keypair_whose_halves_do_not_match_is_refused(seed: bytes, bit: int) -> None:
    keypair = bytearray(bytes(Keypair.from_seed(seed)))
    keypair[bit // 8] ^= 1 << bit % 8
    for text in (keypair.hex(), base64.b64encode(bytes(keypair)).decode()):
        with pytest.raises(InvalidPrivateKeyError):
            read(text)


def test_the_words_of_ton_have_the_seed_of_other_libraries_and_come_out_as_words() -> None:
    for text, seed in ((WORDS, bytes.fromhex(SEED)), ton_words()):
        key = TON.parse_private_key(Secret.from_text(text))
        assert key.reveal()[-32:] == seed
        assert TON.format_private_key(key).reveal_text() == text
        for scheme, version in VERSIONS.items():
            assert TON.public_half(key, scheme).address == Ton(seed).GetAddress(version)
            assert TESTNET.public_half(key, scheme) == TESTNET.public_half(Secret(seed), scheme)


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: f"\n {text.replace(' ', chr(10))} "])
def test_white_space_and_capitals_of_words_are_folded(change: object) -> None:
    assert callable(change)
    assert TON.format_private_key(Secret(read(change(WORDS)))).reveal_text() == WORDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        WORDS.rpartition(" ")[0],
        WORDS + " few",
        WORDS.replace("few", "fex"),
        WORDS.replace("few", "zoo"),  # the check
        " ".join(reversed(WORDS.split())),
        WORDS.replace(" ", ","),
        WORDS.replace(" ", ""),
        WORDS + "\0",
        " ".join(["abandon"] * 23 + ["art"]),  # BIP-39 alone
        "ab" * 31,
        "ab" * 33,
        "ab" * 64,
        base64.b64encode(bytes(64)).decode(),
        base64.b64encode(bytes(65)).decode(),
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(bytes(Keypair.from_seed(bytes(32)))).decode()[:-3] + "x==",
        "1" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("text", [WORDS.replace("few", "zoo"), WORDS + " few"])
def test_refused_words_are_not_shown(text: str) -> None:
    assert_hides(failure_report(TON.parse_private_key, Secret.from_text(text)), text.encode())


@pytest.mark.parametrize("size", [0, 31, 33, 64, 66])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        TON.public_half(Secret(b"\1" * size), "v5r1")
    with pytest.raises(InvalidPrivateKeyError):
        TON.format_private_key(Secret(b"\1" * size))


def test_words_that_are_not_those_of_the_seed_are_never_given_out() -> None:
    key = read(WORDS)
    for wrong in (key[:-1] + bytes((key[-1] ^ 1,)), bytes((key[0] ^ 1,)) + key[1:], bytes(65)):
        with pytest.raises(InvalidPrivateKeyError):
            TON.format_private_key(Secret(wrong))


@pytest.mark.parametrize("path", ["m/44'/607'/0", "m/44/607/0", "m/0"])
def test_a_path_with_an_element_that_is_not_hardened_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathError):
        TON.derive(phrase(), "v4r2", path)


# --- words that are TON's and BIP-39's -----------------------------------------------------------------------


def test_words_are_read_by_doctor_and_derive_their_address() -> None:
    key = words.parse(Secret.from_text(WORDS))
    assert key is not None
    for scheme in VERSIONS:
        target = DERIVATION.target("", TON.public_half(key, scheme).address)
        content = DERIVATION.explain(read_text(WORDS), target)
        assert content is not None
        assert content.material is not None
        assert content.material.scheme == scheme
        assert TON.format_private_key(content.material.private_key).reveal_text() == WORDS


@pytest.mark.parametrize("scheme", VERSIONS)
def test_of_words_that_are_both_the_stored_address_decides(scheme: str) -> None:
    both = Phrase.parse(Secret.from_text(BOTH))
    as_words = words.parse(both.mnemonic)
    assert as_words is not None
    of_words = TON.public_half(as_words, scheme).address
    of_phrase = TON.public_half(TON.derive(both, scheme).private_key, scheme).address
    for address, mnemonic in ((of_words, False), (of_phrase, True)):
        target = DERIVATION.target("ton", address)
        content = DERIVATION.explain(DERIVATION.reading(read_text(BOTH), target), target)
        assert content is not None
        assert content.material is not None
        assert (content.material.mnemonic is not None) == mnemonic


def test_of_words_that_are_both_and_whose_address_is_not_known_a_phrase_is_read() -> None:
    assert read_text(BOTH).phrase is not None
    ethereum = TABLE.get("ethereum")
    address = ethereum.public_half(ethereum.derive(phrase(BOTH), "bip44").private_key, "bip44").address
    target = DERIVATION.target("", address)
    content = DERIVATION.explain(DERIVATION.reading(read_text(BOTH), target), target)
    assert content is not None
    assert content.derives
