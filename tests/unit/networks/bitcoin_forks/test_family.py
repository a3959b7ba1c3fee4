"""Litecoin, Dogecoin, Bitcoin Cash, Dash, Zcash: their addresses, key texts and paths. The judge is bip_utils."""

from __future__ import annotations

import pytest
from bip_utils import (
    Bip32KeyNetVersions,
    Bip32Slip10Secp256k1,
    Bip39SeedGenerator,
    Bip44,
    Bip44Changes,
    Bip44Coins,
    Bip49,
    Bip49Coins,
    Bip84,
    Bip84Coins,
    WifDecoder,
)
from embit.descriptor import Descriptor  # type: ignore[import-untyped]
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError, UnknownVariantError
from strongroom.networks import TABLE
from strongroom.networks.bitcoin_forks.family import BitcoinFork
from strongroom.networks.codecs import base58, base58_address, cashaddr, segwit_address
from strongroom.networks.wally import hash160
from strongroom.networks.watched_branch import checksum
from strongroom.ports.network import WatchOnlyNetwork
from strongroom.ports.signing import SigningNetwork
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks import bitcoin_chains
from testbed.networks.known import keys, phrase, phrases

FORKS = [network for network in TABLE if isinstance(network, BitcoinFork)]
NAMES = [network.name for network in FORKS]
WIF_ENDS = {"LITECOIN": "T6", "DOGECOIN": "Q6", "DASH": "X7"}
KEY = bytes.fromhex("4646464646464646464646464646464646464646464646464646464646464646")
SLOW = settings(max_examples=examples(20), deadline=None)


def fork(name: str) -> BitcoinFork:
    network = TABLE.get(name)
    assert isinstance(network, BitcoinFork)
    return network


# --- addresses of phrases ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "variant", "index", "path", "address"),
    [
        ("litecoin", "default", 0, "m/84'/2'/0'/0/0", "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"),
        ("litecoin", "default", 1, "m/84'/2'/0'/0/1", "ltc1qwlezpr3890hcp6vva9twqh27mr6edadreqvhnn"),
        ("litecoin", "legacy", 0, "m/44'/2'/0'/0/0", "LUWPbpM43E2p7ZSh8cyTBEkvpHmr3cB8Ez"),
        ("litecoin", "legacy", 1, "m/44'/2'/0'/0/1", "Ldatw8ZjgMGNUo5HMN6RgCrjmh7q494Si3"),
        ("litecoin", "nested", 0, "m/49'/2'/0'/0/0", "M7wtsL7wSHDBJVMWWhtQfTMSYYkyooAAXM"),
        ("litecoin", "nested", 1, "m/49'/2'/0'/0/1", "M92zAbFXY2J7NJXdFpJTe3a5PrsyZQhKZK"),
        ("litecoin-testnet", "default", 0, "m/84'/1'/0'/0/0", "tltc1q6rz28mcfaxtmd6v789l9rrlrusdprr9pesrjxk"),
        ("litecoin-testnet", "default", 1, "m/84'/1'/0'/0/1", "tltc1qd7spv5q28348xl4myc8zmh983w5jx32ctl5d4h"),
        ("dogecoin", "default", 0, "m/44'/3'/0'/0/0", "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC"),
        ("dogecoin", "default", 1, "m/44'/3'/0'/0/1", "DAcDAtJRztxBHyA6D6h8du1HguyTR43Mas"),
        ("bitcoin-cash", "default", 0, "m/44'/145'/0'/0/0", "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6"),
        ("bitcoin-cash", "default", 1, "m/44'/145'/0'/0/1", "bitcoincash:qp8sfdhgjlq68hlzka9lcsxtcnvuvnd0xqxugfzzc5"),
        ("dash", "default", 0, "m/44'/5'/0'/0/0", "XoJA8qE3N2Y3jMLEtZ3vcN42qseZ8LvFf5"),
        ("dash", "default", 1, "m/44'/5'/0'/0/1", "XbctnEsgWTn5j1co3emZynemxSFPqkLRKZ"),
        ("zcash", "default", 0, "m/44'/133'/0'/0/0", "t1XVXWCvpMgBvUaed4XDqWtgQgJSu1Ghz7F"),
        ("zcash", "default", 1, "m/44'/133'/0'/0/1", "t1aQ2b1XszNVo15BguYLbQGqETBL9QZA8Jq"),
    ],
)
def test_the_addresses_that_other_wallets_show(name: str, variant: str, index: int, path: str, address: str) -> None:
    """By wallet-core 4.8.2, bip_utils 2.12.3, and a reference of hashlib and libsecp256k1."""
    network = fork(name)
    scheme = network.scheme(variant)
    assert network.path(scheme, index) == path
    key = network.derive(phrase(), scheme, path).private_key
    assert network.public_half(key, scheme).address == address
    assert network.parse_address(address) == address


@SLOW
@given(phrases(), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_the_addresses_of_a_phrase_are_those_of_bip_utils(words: str, account: int, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate()
    for name in NAMES:
        coin = name.upper().replace("-", "_")
        trees = {"bip44": Bip44.FromSeed(seed, Bip44Coins[coin])}
        if fork(name).hrp:
            trees |= {
                "bip49": Bip49.FromSeed(seed, Bip49Coins[coin]),
                "bip84": Bip84.FromSeed(seed, Bip84Coins[coin]),
            }
        for scheme, tree in trees.items():
            path = f"m/{scheme[3:]}'/{fork(name).coin_type}'/{account}'/1/{index}"
            theirs = tree.Purpose().Coin().Account(account).Change(Bip44Changes.CHAIN_INT).AddressIndex(index)
            key = fork(name).derive(phrase(words), scheme, path).private_key
            assert fork(name).public_half(key, scheme).address == theirs.PublicKey().ToAddress()
            assert fork(name).format_private_key(key).reveal_text() == theirs.PrivateKey().ToWif()


def test_which_variants_there_are() -> None:
    for network in FORKS:
        segregated = ("default", "legacy", "nested") if network.name.startswith("litecoin") else ("default",)
        assert tuple(network.variants) == segregated
        assert network.imported_variants == ("uncompressed",)
        for variant in {"taproot", "legacy", "nested"} - set(network.variants):
            with pytest.raises(UnknownVariantError):
                network.scheme(variant)


def test_no_fork_signs() -> None:
    assert not any(isinstance(network, SigningNetwork) for network in FORKS)
    assert all(isinstance(network, WatchOnlyNetwork) for network in FORKS)


# --- addresses that are read -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written", "canonical"),
    [
        ("litecoin", "LTC1QJMXNZ78NMC8NQ77WUXH25N2ES7RZM5C2RKK4WH", "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh"),
        ("litecoin", "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN", "MR8UQSBr5ULwWheBHznrHk2jxyxkHQu8vB"),  # of key 1
        ("litecoin", "MR8UQSBr5ULwWheBHznrHk2jxyxkHQu8vB", "MR8UQSBr5ULwWheBHznrHk2jxyxkHQu8vB"),
        # "cashaddr.md", "Examples of Address Translation"
        ("bitcoin-cash", "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
        ("bitcoin-cash", "1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR", "qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy"),
        ("bitcoin-cash", "16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb", "qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r"),
        ("bitcoin-cash", "3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", "ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"),
        ("bitcoin-cash", "3LDsS579y7sruadqu11beEJoTjdFiFCdX4", "pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e"),
        ("bitcoin-cash", "31nwvkZwyPdgzjBJZXfDmSWsC4ZLKpYyUw", "pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37"),
        ("bitcoin-cash", "QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
        ("zcash", "t3Vz22vK5z2LcKEdg16Yv4FFneEL1zg9ojd", "t3Vz22vK5z2LcKEdg16Yv4FFneEL1zg9ojd"),  # founders' reward
        ("dogecoin", "A5sQkX35CKS6WpHvmXRfKgWTd1mvPKe4tC", None),
        ("dash", "7gnwGHt17heGpG9Crfeh4KGpYNFugPhJdh", "7gnwGHt17heGpG9Crfeh4KGpYNFugPhJdh"),  # Dash Core's RPC help
    ],
)
def test_every_form_is_read_and_written_as_wallets_do_today(name: str, written: str, canonical: str | None) -> None:
    if canonical is None:  # a script hash that nobody published: of our own making
        written = canonical = base58_address.encode(0x16, bytes(range(20)))
        assert written[0] in "9A"
    expected = f"bitcoincash:{canonical}" if name == "bitcoin-cash" else canonical
    assert fork(name).parse_address(written) == expected
    assert fork(name).parse_address(expected) == expected


@given(st.binary(min_size=20, max_size=20))
def test_bitcoin_cash_reads_one_address_in_six_spellings(digest: bytes) -> None:
    for kind, version, token_aware in ((0, 0x00, 2), (1, 0x05, 3)):
        address = cashaddr.encode("bitcoincash", kind, digest)
        body = address.removeprefix("bitcoincash:")
        old, tokens = base58_address.encode(version, digest), cashaddr.encode("bitcoincash", token_aware, digest)
        for text in (address, address.upper(), body, body.upper(), old, tokens):
            assert fork("bitcoin-cash").parse_address(text) == address
    for kind in range(4, 16):
        with pytest.raises(InvalidAddressError):
            fork("bitcoin-cash").parse_address(cashaddr.encode("bitcoincash", kind, digest))


def test_a_hash_of_a_script_of_bitcoin_cash_may_have_32_bytes_and_one_of_a_key_may_not() -> None:
    """CHIP-2022-05-P2SH32."""
    script = cashaddr.encode("bitcoincash", 1, bytes(32))
    assert fork("bitcoin-cash").parse_address(script) == script
    for kind, size in ((0, 32), (0, 24), (1, 24), (1, 64)):
        with pytest.raises(InvalidAddressError):
            fork("bitcoin-cash").parse_address(cashaddr.encode("bitcoincash", kind, bytes(size)))


VERSIONS = {
    "litecoin": {0x30, 0x32, 0x05},
    "litecoin-testnet": {0x6F, 0x3A, 0xC4},
    "dogecoin": {0x1E, 0x16},
    "dogecoin-testnet": {0x71, 0xC4},
    "bitcoin-cash": {0x00, 0x05},
    "dash": {0x4C, 0x10},
    "dash-testnet": {0x8C, 0x13},
    "zcash": {0x1CB8, 0x1CBD},
}


@given(
    st.binary(min_size=20, max_size=20), st.integers(0, 0xFFFF) | st.sampled_from([*set().union(*VERSIONS.values())])
)
@example(bytes(20), 0)
@example(b"\xff" * 20, 0x1CB8)
def test_a_base58_address_is_accepted_exactly_by_its_version(digest: bytes, version: int) -> None:
    assert VERSIONS.keys() == set(NAMES)
    text = base58_address.encode(version, digest)
    for network in FORKS:
        if version in VERSIONS[network.name]:
            canonical = network.parse_address(text)
            assert network.parse_address(canonical) == canonical
        else:
            with pytest.raises(InvalidAddressError):
                network.parse_address(text)


@pytest.mark.parametrize("head", [b"\x00\x30", b"\x00\x1c\xb8", b"", b"\x1c", b"\x1c\xb8\x00"])
def test_version_bytes_in_a_longer_or_shorter_form_are_refused(head: bytes) -> None:
    for network in FORKS:
        with pytest.raises(InvalidAddressError):
            network.parse_address(base58.encode_check(head + b"\x11" * 20))


@given(st.binary(min_size=20, max_size=32), st.integers(0, 16))
def test_a_witness_address_is_accepted_by_version_and_length_on_litecoin_alone(program: bytes, version: int) -> None:
    if version == 0 and len(program) not in (20, 32):
        return
    text = segwit_address.encode("ltc", version, program)
    good = (version, len(program)) in ((0, 20), (0, 32), (1, 32))
    for network in FORKS:
        if good and network.name == "litecoin":
            assert network.parse_address(text.upper()) == text
        else:
            with pytest.raises(InvalidAddressError):
                network.parse_address(text)


SAPLING = "zs1z7rejlpsa98s2rrrfkwmaxu53e4ue0ulcrw0h4x5g8jl04tak0d3mm47vdtahatqrlkngh9sly"
SPROUT = "zcU1Cd6zYyZCd2VJF8yKgmzjxdiiU1rgTTjEwoN1CGUWCziPkUTXUjXmX7TMqdMNsTfuiGN1jQoVN4kGxUR4sAPN4XZ7pxb"
UNIFIED = (
    "u1"
    + "l8xunezsvhq8fgzfl7404m450nwnd76zshscn6nfys7vyz2ywyh4cc5daaq0c7q2su5lqfh23sp7fkf3kt27ve5948mzpfdvckzaect2j" * 2
)


@pytest.mark.parametrize(
    ("name", "text", "kinds"),
    [
        ("zcash", SAPLING, "Sapling"),
        ("zcash", SAPLING.upper(), "Sapling"),
        ("zcash", UNIFIED, "unified"),
        ("zcash", SPROUT, "Sprout"),
        ("litecoin", "ltcmweb1qq" + "0l" * 55, "MWEB"),
        ("litecoin-testnet", "tmweb1qq" + "0l" * 55, "MWEB"),
    ],
)
def test_a_shielded_address_is_refused_by_its_name(name: str, text: str, kinds: str) -> None:
    with pytest.raises(InvalidAddressError) as caught:
        fork(name).parse_address(text)
    assert "Shielded addresses" in caught.value.message
    assert "not supported" in caught.value.message
    assert kinds in caught.value.message
    assert text not in f"{caught.value.message}{caught.value.hint}"
    with pytest.raises(InvalidAddressError, match="checksum is wrong"):
        fork("dogecoin").parse_address(text)


LTC, DOGE = "ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh", "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC"
CASH, T1 = "bitcoincash:qqyx49mu0kkn9ftfj6hje6g2wfer34yfnq5tahq3q6", "t1XVXWCvpMgBvUaed4XDqWtgQgJSu1Ghz7F"


@pytest.mark.parametrize("good", [LTC, DOGE, CASH, T1])
def test_what_is_close_to_an_address_is_refused_by_all(good: str) -> None:
    for text in (
        "",
        good[:-1],
        good[:-1] + ("q" if good[-1] != "q" else "p"),
        good + good[-1],
        " " + good,
        good + "\n",
        good + "\0",
        good + "\0abc",
        good[:-1] + "\ud800",
        good[:9] + good[9:].swapcase(),
        good[:8].upper() + good[8:],
        good * 100_000,
    ):
        for network in FORKS:
            if network.name == "bitcoin-cash" and text == good[:8].upper() + good[8:] == good:
                continue
            with pytest.raises(InvalidAddressError):
                network.parse_address(text)


@given(st.text(max_size=100) | st.text("qpzry9x8gf2tvdw0s3jn54khce6mua7l:bitconshLMDXt13", max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    for network in FORKS:
        try:
            canonical = network.parse_address(text)
        except InvalidAddressError:
            continue
        assert network.parse_address(canonical) == canonical


def test_what_no_key_has_is_of_no_scheme() -> None:
    for name, scripts in (("dogecoin", 0x16), ("bitcoin-cash", 0x05), ("dash", 0x10), ("zcash", 0x1CBD)):
        assert fork(name).schemes_of(fork(name).parse_address(base58_address.encode(scripts, bytes(20)))) == ()
    assert fork("litecoin").schemes_of(segwit_address.encode("ltc", 1, bytes(32))) == ()


@given(keys())
def test_a_key_has_the_schemes_of_its_addresses(key: bytes) -> None:
    for network in FORKS:
        for scheme in network.schemes:
            assert scheme in network.schemes_of(network.public_half(Secret(key), scheme).address)


# --- keys --------------------------------------------------------------------------------------------------------


@given(keys())
def test_a_key_has_the_addresses_and_the_texts_of_bip_utils(key: bytes) -> None:
    for network in FORKS:
        for variant in network.variants:
            scheme = network.scheme(variant)
            ours = network.public_half(Secret(key), scheme).address
            assert ours == bitcoin_chains.address(network.name, variant, key)
        for scheme, compressed in ((network.scheme(None), True), ("p2pkh-uncompressed", False)):
            text = network.format_private_key(Secret(key), scheme)
            assert text.reveal_text() == bitcoin_chains.wif(network.name, compressed=compressed)(key)
            assert network.parse_private_key(text).reveal() == key
            assert network.scheme_of_key(text, None) == scheme
            assert WifDecoder.Decode(text.reveal_text(), bytes((network.wif_version,)))[0] == key


def test_wif_is_read_where_its_version_is_and_nowhere_else() -> None:
    for wrote in FORKS:
        text = wrote.format_private_key(Secret(KEY))
        for network in FORKS:
            if network.wif_version == wrote.wif_version:
                assert network.parse_private_key(text).reveal() == KEY
            else:
                with pytest.raises(InvalidPrivateKeyError):
                    network.parse_private_key(text)
    first = {name: fork(name).format_private_key(Secret(KEY)).reveal_text()[0] for name in NAMES}
    assert [first[name] for name in ("litecoin", "dogecoin", "bitcoin-cash", "dash", "zcash")] == [*"TQKXK"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_key_is_refused(name: str) -> None:
    network = fork(name)
    whole = network.format_private_key(Secret(KEY)).reveal_text()
    version = bytes((network.wif_version,))
    for text in (
        "",
        whole[:-1],
        whole + "1",
        whole.lower(),
        whole + "\0",
        base58.encode_check(version + KEY + b"\2"),
        base58.encode_check(version + KEY[:-1]),
        base58.encode_check(version + bytes(32) + b"\1"),
        base58.encode_check(bytes((network.wif_version ^ 1,)) + KEY + b"\1"),
        KEY.hex()[:-1],
        network.public_half(Secret(KEY), network.scheme(None)).address,
    ):
        with pytest.raises(InvalidPrivateKeyError):
            network.parse_private_key(Secret.from_text(text))


def test_an_uncompressed_key_has_an_address_of_its_own_and_no_path() -> None:
    for network in FORKS:
        half = network.public_half(Secret(KEY), "p2pkh-uncompressed")
        assert len(half.public_key) == 130
        assert half.address != network.public_half(Secret(KEY), "bip44").address
        assert network.path("p2pkh-uncompressed") is None
        digest = hash160(bytes.fromhex(half.public_key))
        if network.name != "bitcoin-cash":
            assert half.address == base58_address.encode(network.p2pkh_version, digest)


# --- accounts that others watch ----------------------------------------------------------------------------------

_XPUBS = {
    ("litecoin", "bip44"): ("xpub", "Ltub", "019da462"),
    ("litecoin", "bip49"): ("xpub", "Mtub", "01b26ef6"),
    ("litecoin", "bip84"): ("xpub", None, ""),
    ("litecoin-testnet", "bip44"): ("tpub", "ttub", "0436f6e1"),
    ("dogecoin", "bip44"): ("xpub", "dgub", "02facafd"),
    ("dogecoin-testnet", "bip44"): ("tpub", None, ""),
    ("bitcoin-cash", "bip44"): ("xpub", None, ""),
    ("dash", "bip44"): ("xpub", None, ""),
    ("zcash", "bip44"): ("xpub", None, ""),
}
_SCRIPTS = {"bip44": "pkh(", "bip49": "sh(wpkh(", "bip84": "wpkh("}


@pytest.mark.parametrize(("name", "scheme"), _XPUBS)
def test_an_account_is_written_as_wallets_of_the_chain_do(name: str, scheme: str) -> None:
    network, (xpub, own, version) = fork(name), _XPUBS[name, scheme]
    template = (network.path(scheme) or "").removesuffix("0") + "{index}"
    branch = network.watched(phrase(), scheme, template)
    assert branch.xpub.startswith(xpub)
    assert (branch.slip132 or "")[:4] == (own or "")
    whole = Bip32Slip10Secp256k1.FromExtendedKey(
        branch.slip132 or branch.xpub,
        Bip32KeyNetVersions(bytes.fromhex(version), bytes(4)) if version else _versions(xpub),
    )
    for index in (0, 1, 2**31 - 1):
        path = template.replace("{index}", str(index))
        address = network.public_half(network.derive(phrase(), scheme, path).private_key, scheme).address
        assert network.watched_address(branch, scheme, path) == address
        theirs = whole.ChildKey(0).ChildKey(index).PublicKey().RawCompressed().ToBytes()
        assert network._address(theirs, scheme) == address


def _versions(prefix: str) -> Bip32KeyNetVersions:
    return Bip32KeyNetVersions(bytes.fromhex("0488b21e" if prefix == "xpub" else "043587cf"), bytes(4))


@pytest.mark.parametrize(("name", "scheme"), _XPUBS)
def test_a_descriptor_is_given_where_nodes_of_the_chain_read_one(name: str, scheme: str) -> None:
    network = fork(name)
    template = (network.path(scheme) or "").removesuffix("0") + "{index}"
    descriptor = network.watched(phrase(), scheme, template).descriptor
    if name in ("dogecoin", "dogecoin-testnet", "zcash"):
        assert descriptor is None
        return
    assert descriptor is not None
    text, _, total = descriptor.partition("#")
    assert checksum(text) == total
    assert text.startswith(_SCRIPTS[scheme] + "[73c5da0a/")
    key = network.derive(phrase(), scheme, template.replace("{index}", "5")).private_key
    point = bytes.fromhex(network.public_half(key, scheme).public_key)
    hashed = hash160(point)
    script = {
        "bip44": b"\x76\xa9\x14" + hashed + b"\x88\xac",
        "bip49": b"\xa9\x14" + hash160(b"\x00\x14" + hashed) + b"\x87",
        "bip84": b"\x00\x14" + hashed,
    }[scheme]
    assert Descriptor.from_string(text).derive(5).script_pubkey().data == script
