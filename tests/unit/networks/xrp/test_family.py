from __future__ import annotations

import hashlib

import pytest
from bip_utils import Base58Alphabets, Base58Encoder, Bip32Slip10Secp256k1, Bip39SeedGenerator, XrpAddrEncoder
from bip_utils.utils.crypto import Hash160
from coincurve import PrivateKey as CoincurveKey
from hypothesis import example, given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError, UnknownVariantError
from strongroom.networks import TABLE
from strongroom.networks.curves import secp256k1
from strongroom.networks.xrp import seeds
from strongroom.secret import Secret
from strongroom.usecases.import_key import ImportedKey, material_of
from testbed.networks.known import phrase, phrases

XRP, TESTNET = TABLE.get("xrp"), TABLE.get("xrp-testnet")
ADDRESS = "rHsMGQEkVNJmpGWs8XUBoTBiAAbwxZN5v3"
SEED, ED_SEED = "sp6JS7f14BuwFY8Mw6bTtLKWauoUs", "sEdSJHS4oiAdz7w2X2ni1gFiqtbJHqE"
KNOWN_SEEDS = {
    "snoPBrXtMeMyMHUVTgbuqAfg1SUTb": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",  # rippled: masterpassphrase
    "sp5fghtJtpUorTwvof1NpDXAzNwf5": "rU6K7V3Po4snVhBBaU29sesqs2qTQJWDw1",  # ripple-keypairs, test/fixtures/api.json
    "sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r": "rLUEXYuLiQptky37CqLcm9USQpPiz5rkpD",
    SEED: "rGCkuB7PBr5tNy68tPEABEtcdno4hE6Y7f",  # xrpl-py and ripple-keypairs: sixteen zero bytes
    ED_SEED: "r9zRhGr7b6xPekLvT6wP4qNdWMryaumZS7",
}
X_ADDRESSES = {  # ripple-address-codec, test/index.test.ts: those without a tag
    "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59": (
        "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ",
        "T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ",
    ),
    "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf": (
        "XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb",
        "TVE26TYGhfLC7tQDno7G8dGtxSkYQn49b3qD26PK7FcGSKE",
    ),
}
TAGGED = (  # tag 1, tag 0, tag 2^32-1
    ("X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu", "T719a5UwUCnEs54UsxG9CJYYDhwmFCvbJNZbi37gBGkRkbE"),
    ("XVLhHMPHU98es4dbozjVtdWzVrDjtV8AqEL4xcZj5whKbmc", "TVE26TYGhfLC7tQDno7G8dGtxSkYQnSy8RHqGHoGJ59spi2"),
    ("XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHi", "TVE26TYGhfLC7tQDno7G8dGtxSkYQnXoy6kSDh6rZzApc69"),
)
SIXTEEN = st.binary(min_size=16, max_size=16)
KEY = "1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"


def secret(text: str) -> Secret:
    return Secret.from_text(text)


def encoded(data: bytes) -> str:
    return str(Base58Encoder.CheckEncode(data, Base58Alphabets.RIPPLE))


def ed25519_address(key: bytes) -> str:
    public = b"\xed" + SigningKey(key).verify_key.encode()
    return encoded(b"\0" + Hash160.QuickDigest(public))


def half(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()[:32]


@pytest.mark.parametrize(("index", "address"), [(0, ADDRESS), (1, "r3AgF9mMBFtaLhKcg96weMhbbEFLZ3mx17")])
def test_the_index_is_the_last_element_and_both_networks_show_one_address(index: int, address: str) -> None:
    for network in (XRP, TESTNET):
        material = network.derive(phrase(), "bip44", network.path("bip44", index))
        assert material.path == f"m/44'/144'/0'/0/{index}"
        assert network.public_half(material.private_key, "bip44").address == address


@given(phrases(), st.integers(0, 2**31 - 1))
def test_random_phrases_have_the_addresses_of_another_implementation(words: str, index: int) -> None:
    path = XRP.path("bip44", index)
    assert path is not None
    ours = XRP.derive(phrase(words), "bip44", path)
    theirs = Bip32Slip10Secp256k1.FromSeedAndPath(Bip39SeedGenerator(words).Generate(), path)
    assert ours.private_key.reveal() == theirs.PrivateKey().Raw().ToBytes()
    expected = XrpAddrEncoder.EncodeKey(theirs.PublicKey().KeyObject())
    assert XRP.public_half(ours.private_key, "bip44").address == expected


@given(st.binary(min_size=32, max_size=32))
def test_an_ed25519_key_is_hashed_behind_its_mark(key: bytes) -> None:
    half = XRP.public_half(Secret(key), "ed25519")
    assert half.address == ed25519_address(key)
    assert half.public_key == SigningKey(key).verify_key.encode().hex()
    assert XRP.parse_private_key(XRP.format_private_key(Secret(key), "ed25519")).reveal() == key


@pytest.mark.parametrize("scheme", ["ed25519", "family-seed", "family-seed-ed25519"])
def test_keys_from_elsewhere_come_from_no_phrase(scheme: str) -> None:
    assert XRP.path(scheme) is None
    with pytest.raises(InvalidPathError):
        XRP.derive(phrase(), scheme)
    with pytest.raises(InvalidPathError):
        XRP.derive(phrase(), scheme, "m/44'/144'/0'/0'/0'")


@pytest.mark.parametrize("text", KNOWN_SEEDS)
def test_a_family_seed_has_the_address_that_the_ledgers_own_software_shows_and_leaves_as_it_came(text: str) -> None:
    scheme = XRP.scheme_of_key(secret(text), None)
    key = XRP.parse_private_key(secret(f" {text}\n"))
    assert len(key.reveal()) == 16
    assert XRP.public_half(key, scheme).address == KNOWN_SEEDS[text]
    assert XRP.format_private_key(key, scheme).reveal_text() == text


@given(SIXTEEN)
@example(bytes(16))
@example(b"\xff" * 16)
def test_random_family_seeds_have_the_keys_of_the_written_rule(seed: bytes) -> None:
    """The documentation of the ledger, written down again over other libraries."""
    text, ed_text = encoded(b"\x21" + seed), encoded(b"\x01\xe1\x4b" + seed)
    root = CoincurveKey(half(seed + bytes(4)))
    key = root.add(half(root.public_key.format() + bytes(8)))
    theirs = encoded(b"\0" + Hash160.QuickDigest(key.public_key.format()))
    for written, scheme, address in (
        (text, "family-seed", theirs),
        (ed_text, "family-seed-ed25519", ed25519_address(half(seed))),
    ):
        assert XRP.parse_private_key(secret(written)).reveal() == seed
        assert XRP.scheme_of_key(secret(written), None) == scheme
        assert XRP.public_half(Secret(seed), scheme).address == address
        assert XRP.format_private_key(Secret(seed), scheme).reveal_text() == written


def test_a_number_outside_of_the_curve_is_passed_over_when_a_seed_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = iter((False, True, True))
    monkeypatch.setattr(secp256k1, "is_private_key", lambda _: next(tried))
    key = seeds.private_key(Secret(bytes(16)), "secp256k1")
    root = CoincurveKey(half(bytes(16) + (1).to_bytes(4)))
    assert key is not None
    assert key.reveal() == root.add(half(root.public_key.format() + bytes(8))).secret


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        (SEED, "bip44"),
        (SEED, "ed25519"),
        (SEED, "family-seed-ed25519"),
        (ED_SEED, "bip44"),
        (ED_SEED, "family-seed"),
        (KEY, "family-seed"),
        (KEY, "family-seed-ed25519"),
        ("00" + KEY, "ed25519"),
    ],
)
def test_a_text_that_says_another_scheme_is_refused(text: str, scheme: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        XRP.scheme_of_key(secret(text), scheme)


def test_digits_say_no_scheme() -> None:
    assert XRP.scheme_of_key(secret(KEY), None) == "bip44"
    assert XRP.scheme_of_key(secret(KEY), "ed25519") == "ed25519"
    assert XRP.parse_private_key(secret("00" + KEY)).reveal().hex() == KEY


@pytest.mark.parametrize("mark", ["ED", "ed", "eD"])
def test_what_may_be_a_public_key_of_ed25519_is_refused(mark: str) -> None:
    with pytest.raises(InvalidPrivateKeyError) as caught:
        XRP.parse_private_key(secret(mark + KEY))
    assert "public" in str(caught.value)
    assert "ed25519" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY[:-2],
        KEY + "00",
        "01" + KEY,
        ADDRESS,
        SEED[:-1],
        SEED + "r",
        SEED.replace("J", "K"),
        SEED.swapcase(),
        SEED + "\0",
        "r" + SEED,
        ED_SEED[:-1],
        ED_SEED.replace("S", "T", 1),
        encoded(b"\x21" + bytes(15)),
        encoded(b"\x21" + bytes(17)),
        encoded(b"\x01\xe1\x4b" + bytes(15)),
        encoded(b"\x20" + bytes(16)),
        "s" * 1_000_000,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        XRP.parse_private_key(secret(text))


@pytest.mark.parametrize("size", [0, 15, 16, 17, 31, 32, 33])
@pytest.mark.parametrize("scheme", ["bip44", "ed25519", "family-seed", "family-seed-ed25519"])
def test_a_key_of_another_length_than_its_schemes_is_refused(size: int, scheme: str) -> None:
    if size == (16 if scheme.startswith("family-seed") else 32):
        return
    for verb in (XRP.public_half, XRP.format_private_key):
        with pytest.raises(InvalidPrivateKeyError):
            verb(Secret(b"\1" * size), scheme)
    with pytest.raises(UnknownVariantError):
        XRP.public_half(Secret(b"\1" * size), "slip10")


@pytest.mark.parametrize("classic", X_ADDRESSES)
def test_an_x_address_without_a_tag_is_stored_as_the_classic_one(classic: str) -> None:
    main, test = X_ADDRESSES[classic]
    assert XRP.parse_address(main) == TESTNET.parse_address(test) == classic
    assert XRP.parse_address(classic) == TESTNET.parse_address(classic) == classic
    for network, other in ((XRP, test), (TESTNET, main)):
        with pytest.raises(InvalidAddressError) as caught:
            network.parse_address(other)
        assert "network" in str(caught.value)


@pytest.mark.parametrize(("main", "test"), TAGGED)
def test_an_x_address_with_a_tag_is_refused_and_the_hint_says_what_to_give(main: str, test: str) -> None:
    for network, text in ((XRP, main), (TESTNET, test)):
        with pytest.raises(InvalidAddressError) as caught:
            network.parse_address(text)
        assert "tag" in str(caught.value)
        assert "classic" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS[:-1],
        ADDRESS + "r",
        "r" + ADDRESS,
        ADDRESS.replace("G", "H", 1),
        ADDRESS.swapcase(),
        ADDRESS + " ",
        "\t" + ADDRESS,
        ADDRESS + "\0",
        SEED,
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
        encoded(b"\0" + bytes(19)),
        encoded(b"\0" + bytes(21)),
        encoded(b"\x05" + bytes(20)),
        X_ADDRESSES["rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf"][0][:-1],
        encoded(b"\x05\x44" + bytes(20) + b"\0" + b"\1" + bytes(7)),  # no tag, and one all the same
        encoded(b"\x05\x44" + bytes(20) + b"\1" + bytes(4) + b"\1" + bytes(3)),  # more than 32 bits of tag
        encoded(b"\x05\x44" + bytes(20) + b"\2" + bytes(8)),  # a tag of 64 bits
        encoded(b"\x05\x44" + bytes(20) + b"\xff" + bytes(8)),
        encoded(b"\x05\x44" + bytes(20) + b"\0" + bytes(7)),
        encoded(b"\x05\x44" + bytes(20) + b"\0" + bytes(9)),
        encoded(b"\x05\x45" + bytes(20) + b"\0" + bytes(8)),
        "r" * 1_000_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    for network in (XRP, TESTNET):
        with pytest.raises(InvalidAddressError):
            network.parse_address(text)


@pytest.mark.parametrize(
    ("text", "scheme", "written"),
    [(SEED, "family-seed", SEED), (ED_SEED, "family-seed-ed25519", ED_SEED), (SEED, "family-seed-ed25519", ED_SEED)],
)
def test_the_address_says_of_which_curve_a_seed_is(text: str, scheme: str, written: str) -> None:
    """rippled writes seeds of Ed25519 as it writes those of secp256k1."""
    address = XRP.public_half(Secret(bytes(16)), scheme).address
    given_key = ImportedKey(secret(text), None, None, None, address)
    material = material_of(XRP, None, given_key, address)
    assert material.scheme == scheme
    assert XRP.format_private_key(material.private_key, scheme).reveal_text() == written
    other = material_of(XRP, None, given_key, ADDRESS)
    assert XRP.public_half(other.private_key, other.scheme).address != ADDRESS
