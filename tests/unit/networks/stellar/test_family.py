from __future__ import annotations

import pytest
from bip_utils import Bip32Slip10Ed25519, Bip39SeedGenerator, XlmAddrEncoder, XlmAddrTypes
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base32, crc16
from strongroom.networks.stellar import strkey
from strongroom.secret import Secret
from testbed.networks.key_forms_by_coin import stellar_seed
from testbed.networks.known import phrase, phrases

STELLAR, TESTNET = TABLE.get("stellar"), TABLE.get("stellar-testnet")
ADDRESS = "GB3JDWCQJCWMJ3IILWIGDTQJJC5567PGVEVXSCVPEQOTDN64VJBDQBYX"
SEED = "SBUV3MRWKNS6AYKZ6E6MOUVF2OYMON3MIUASWL3JLY5E3ISDJFELYBRZ"
THIRTY_TWO = st.binary(min_size=32, max_size=32)
SEP5 = {  # SEP-0005, test cases: phrase, passphrase, then index, address, seed
    ("illness spike retreat truth genius clock brain pass fit cave bargain toe", ""): (
        (
            0,
            "GDRXE2BQUC3AZNPVFSCEZ76NJ3WWL25FYFK6RGZGIEKWE4SOOHSUJUJ6",
            "SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN",
        ),
        (
            9,
            "GBTVYYDIYWGUQUTKX6ZMLGSZGMTESJYJKJWAATGZGITA25ZB6T5REF44",
            "SCJGVMJ66WAUHQHNLMWDFGY2E72QKSI3XGSBYV6BANDFUFE7VY4XNXXR",
        ),
    ),
    ("resource asthma orphan phone ice canvas fire useful arch jewel impose vague theory cushion top", ""): (
        (
            1,
            "GDFCYVCICATX5YPJUDS22KM2GW5QU2KKSPPPT2IC5AQIU6TP3BZSLR5K",
            "SAZ2H5GLAVWCUWNPQMB6I3OHRI63T2ACUUAWSH7NAGYYPXGIOPLPW3Q4",
        ),
    ),
    (
        "cable spray genius state float twenty onion head street palace net private method loan turn phrase state "
        "blanket interest dry amazing dress blast tube",
        "p4ssphr4se",
    ): (
        (
            0,
            "GDAHPZ2NSYIIHZXM56Y36SBVTV5QKFIZGYMMBHOU53ETUSWTP62B63EQ",
            "SAFWTGXVS7ELMNCXELFWCFZOPMHUZ5LXNBGUVRCY3FHLFPXK4QPXYP2X",
        ),
    ),
}
# SEP-0023, valid test cases: muxed accounts, a signed payload, a contract, a liquidity pool, a claimable balance
MUXED = (
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ",
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK",
)
OTHERS = (
    "PA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAQACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IBZGM",
    "CA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUWDA",
    "LA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUPJN",
    "BAAD6DBUX6J222DMZOHIEZTEQ64CVCHEDRKWZONFEUL5Q26QD7R76RGR4TU",
)


def secret(text: str) -> Secret:
    return Secret.from_text(text)


@pytest.mark.parametrize("case", SEP5)
def test_phrases_have_the_accounts_of_sep_5(case: tuple[str, str]) -> None:
    for index, address, seed in SEP5[case]:
        material = STELLAR.derive(phrase(*case), "sep5", STELLAR.path("sep5", index))
        assert material.path == f"m/44'/148'/{index}'"
        assert STELLAR.format_private_key(material.private_key).reveal_text() == seed
        for network in (STELLAR, TESTNET):
            assert network.public_half(material.private_key, "sep5").address == address


@given(phrases(), st.integers(0, 2**31 - 1))
def test_random_phrases_have_the_addresses_of_another_implementation(words: str, index: int) -> None:
    path = STELLAR.path("sep5", index)
    assert path is not None
    ours = STELLAR.derive(phrase(words), "sep5", path)
    theirs = Bip32Slip10Ed25519.FromSeedAndPath(Bip39SeedGenerator(words).Generate(), path)
    assert ours.private_key.reveal() == theirs.PrivateKey().Raw().ToBytes()
    expected = XlmAddrEncoder.EncodeKey(theirs.PublicKey().KeyObject(), addr_type=XlmAddrTypes.PUB_KEY)
    assert STELLAR.public_half(ours.private_key, "sep5").address == expected


@given(THIRTY_TWO)
def test_a_secret_seed_is_written_as_others_read_it_and_read_again(seed: bytes) -> None:
    text = STELLAR.format_private_key(Secret(seed)).reveal_text()
    assert text[0] == "S"
    assert text == stellar_seed(seed)
    assert STELLAR.parse_private_key(secret(f"\n{text} ")).reveal() == seed
    half = STELLAR.public_half(Secret(seed), "sep5")
    assert half.address[0] == "G"
    assert bytes.fromhex(half.public_key) == SigningKey(seed).verify_key.encode()


@given(THIRTY_TWO)
def test_a_public_key_is_never_written_as_a_seed_nor_read_as_one(key: bytes) -> None:
    address = STELLAR.public_half(Secret(key), "sep5").address
    as_seed = strkey.encode(strkey.SEED, SigningKey(key).verify_key.encode())
    assert address[0] == "G"
    assert address[1:] != as_seed[1:]
    with pytest.raises(InvalidPrivateKeyError):
        STELLAR.parse_private_key(secret(address))
    with pytest.raises(InvalidAddressError):
        STELLAR.parse_address(as_seed)


@pytest.mark.parametrize("text", MUXED)
def test_a_muxed_account_is_no_wallets_address_and_the_message_says_so(text: str) -> None:
    for network in (STELLAR, TESTNET):
        with pytest.raises(InvalidAddressError) as caught:
            network.parse_address(text)
        assert "muxed" in str(caught.value)
        assert "G..." in caught.value.hint
    account = strkey.decode(strkey.MUXED, text)
    assert account is not None
    assert strkey.encode(strkey.ACCOUNT, account[:32]) == "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"


def changed(text: str, place: int) -> str:
    """One character changed for the next one of the alphabet."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return text[:place] + alphabet[(alphabet.index(text[place]) + 1) % 32] + text[place + 1 :]


def written(version: int, key: bytes) -> str:
    body = bytes((version,)) + key
    return base32.encode(body + crc16.xmodem(body).to_bytes(2, "little"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        *OTHERS,
        SEED,
        "GAAAAAAAACGC6",  # SEP-0023, invalid test cases
        MUXED[0][:-1] + "R",
        ADDRESS[:-1],
        ADDRESS + "A",
        ADDRESS.lower(),
        ADDRESS + "=",
        ADDRESS + " ",
        "\t" + ADDRESS,
        ADDRESS + "\0",
        *(changed(ADDRESS, place) for place in (0, 1, 30, 54, 55)),
        written(strkey.ACCOUNT, bytes(31)),
        written(strkey.ACCOUNT, bytes(33)),
        written(strkey.ACCOUNT | 1, bytes(32)),
        written(strkey.MUXED, bytes(39)),
        base32.encode(bytes((strkey.ACCOUNT,)) + bytes(32) + b"\0\0"),
        "G" * 1_000_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        STELLAR.parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS,
        *MUXED,
        *OTHERS,
        SEED[:-1],
        SEED + "A",
        SEED.lower(),
        SEED + "\0",
        *(changed(SEED, place) for place in (0, 1, 30, 54, 55)),
        written(strkey.SEED, bytes(31)),
        written(strkey.SEED, bytes(33)),
        "ab" * 31,
        "ab" * 33,
        "S" * 1_000_000,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        STELLAR.parse_private_key(secret(text))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    for verb in (lambda key: STELLAR.public_half(key, "sep5"), STELLAR.format_private_key):
        with pytest.raises(InvalidPrivateKeyError):
            verb(Secret(b"\1" * size))


@pytest.mark.parametrize("path", ["m/44'/148'/0", "m/44/148'/0'", "m/44'/148'/0'/0", "m/44'/148'/0'/0/0"])
def test_a_path_with_an_element_that_is_not_hardened_is_refused(path: str) -> None:
    with pytest.raises(InvalidPathError):
        STELLAR.derive(phrase(), "sep5", path)
