"""Keys, and the addresses that they derive: by eth-keys, solders and bip_utils, never by the code under test."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

from bip_utils import (
    Bip32Slip10Ed25519,
    Bip32Slip10Secp256k1,
    P2PKHAddrEncoder,
    P2PKHPubKeyModes,
    P2SHAddrEncoder,
    P2TRAddrEncoder,
    P2WPKHAddrEncoder,
    Secp256k1PrivateKey,
)
from eth_keys.datatypes import PrivateKey as EthPrivateKey
from mnemonic import Mnemonic
from solders.keypair import Keypair

from testbed.networks import bitcoin_chains

EVM = (
    "ethereum",
    "polygon",
    "avalanche",
    "optimism",
    "arbitrum",
    "base",
    "zksync",
    "mantle",
    "bnb",
    "ethereum-sepolia",
)
FORKS = ("litecoin", "dogecoin", "bitcoin-cash", "dash", "zcash")
LANGUAGES = (
    "english",
    "chinese_simplified",
    "chinese_traditional",
    "czech",
    "french",
    "italian",
    "japanese",
    "korean",
    "portuguese",
    "russian",
    "spanish",
    "turkish",
)
LAST_INDEX = 19
"""The last number of a path that the definition tries."""
LAST_TOGETHER = 4
"""The last account and index that it tries together, where a path has both."""


@dataclass(frozen=True, eq=False)
class KnownKey:
    """A private key and one address that it derives."""

    networks: tuple[str, ...]
    """Where the address is valid, in the order of the table of networks."""
    address: str
    """In its canonical form."""
    secret: bytes = field(repr=False)
    """32 bytes: the scalar, or the Ed25519 seed."""
    phrase: str | None = field(default=None, repr=False)
    """The phrase that derives it at a path which the definition tries; else None."""

    @property
    def ambiguous(self) -> bool:
        """Whether its address is one of several networks: of bitcoin-cash, of litecoin, of regtest, too."""
        return self.networks[0].startswith("bitcoin") and self.address[0] in "13mn2"


@dataclass(frozen=True)
class AddressKind:
    """A kind of address, and where a phrase keeps its key."""

    networks: tuple[str, ...]
    path: str
    address: Callable[[bytes], str]

    @property
    def ed25519(self) -> bool:
        """Whether the key is of Ed25519."""
        return self.networks == ("solana",)


def _evm(secret: bytes) -> str:
    return str(EthPrivateKey(secret).public_key.to_checksum_address())


def _solana(secret: bytes) -> str:
    return str(Keypair.from_seed(secret).pubkey())


def _witness(hrp: str) -> Callable[[bytes], str]:
    return lambda secret: str(P2WPKHAddrEncoder.EncodeKey(_point(secret), hrp=hrp))


def _taproot(hrp: str) -> Callable[[bytes], str]:
    return lambda secret: str(P2TRAddrEncoder.EncodeKey(_point(secret), hrp=hrp))


def _legacy(version: bytes) -> Callable[[bytes], str]:
    return lambda secret: str(P2PKHAddrEncoder.EncodeKey(_point(secret), net_ver=version))


def _nested(version: bytes) -> Callable[[bytes], str]:
    return lambda secret: str(P2SHAddrEncoder.EncodeKey(_point(secret), net_ver=version))


def _of(network: str) -> AddressKind:
    """The default kind of a chain like Bitcoin."""
    coin = bitcoin_chains.CHAINS[network].coin
    path = f"m/{bitcoin_chains.purpose(network, None)}'/{coin}'/{{a}}'/0/{{i}}"
    return AddressKind((network,), path, partial(bitcoin_chains.address, network, None))


def _point(secret: bytes) -> object:
    return Secp256k1PrivateKey.FromBytes(secret).PublicKey()


def _uncompressed(secret: bytes, version: bytes) -> str:
    mode = P2PKHPubKeyModes.UNCOMPRESSED
    return str(P2PKHAddrEncoder.EncodeKey(_point(secret), net_ver=version, pub_key_mode=mode))


KINDS = {
    "evm": AddressKind(EVM, "m/44'/60'/{a}'/0/{i}", _evm),
    "bitcoin": AddressKind(("bitcoin",), "m/84'/0'/{a}'/0/{i}", _witness("bc")),
    "bitcoin taproot": AddressKind(("bitcoin",), "m/86'/0'/{a}'/0/{i}", _taproot("bc")),
    "bitcoin legacy": AddressKind(("bitcoin",), "m/44'/0'/{a}'/0/{i}", _legacy(b"\x00")),
    "bitcoin nested": AddressKind(("bitcoin",), "m/49'/0'/{a}'/0/{i}", _nested(b"\x05")),
    "testnet": AddressKind(("bitcoin-testnet",), "m/84'/1'/{a}'/0/{i}", _witness("tb")),
    "testnet taproot": AddressKind(("bitcoin-testnet",), "m/86'/1'/{a}'/0/{i}", _taproot("tb")),
    "testnet legacy": AddressKind(("bitcoin-testnet",), "m/44'/1'/{a}'/0/{i}", _legacy(b"\x6f")),
    "testnet nested": AddressKind(("bitcoin-testnet",), "m/49'/1'/{a}'/0/{i}", _nested(b"\xc4")),
    **{name: _of(name) for name in FORKS},
    "solana": AddressKind(("solana",), "m/44'/501'/{a}'/{i}'", _solana),
}
_AMBIGUOUS = ("bitcoin legacy", "bitcoin nested", "testnet legacy", "testnet nested")
_FAST = ("evm", "evm", "evm", "solana", "solana", "bitcoin")
"""What most rows are of: cheap to derive, and what the field has."""


def key_of(secret: bytes, kind: str = "evm") -> KnownKey:
    """The key of 32 bytes, shown as a kind of address."""
    return KnownKey(KINDS[kind].networks, KINDS[kind].address(secret), secret)


def random_key(rng: random.Random, kind: str | None = None, *, unambiguous: bool = False) -> KnownKey:
    """A new key; without a kind mostly one that is cheap to derive."""
    chosen = kind or (rng.choice(kinds(unambiguous=unambiguous)) if rng.random() < 0.1 else rng.choice(_FAST))
    return key_of(b"\x00" + rng.randbytes(31) if rng.random() < 0.01 else _scalar(rng), chosen)


def kinds(*, unambiguous: bool) -> list[str]:
    """The names of all kinds, or of those whose addresses are of one network alone."""
    return [name for name in KINDS if not unambiguous or name not in _AMBIGUOUS]


def random_phrase(rng: random.Random, language: str | None = None) -> str:
    """A new BIP-39 phrase, mostly in English, as the reference library writes it."""
    chosen = language or (rng.choice(LANGUAGES) if rng.random() < 0.4 else "english")
    return str(_words(chosen).to_mnemonic(rng.randbytes(rng.choice((16, 16, 32)))))


def phrase_key(phrase: str, kind: str = "evm", index: int = 0, account: int = 0, passphrase: str = "") -> KnownKey:
    """The key of a phrase at a path; where the definition does not look, the key is none of the phrase's."""
    least, most = sorted((index, account))
    tried = most <= (LAST_INDEX if least == 0 else -1 if KINDS[kind].ed25519 else LAST_TOGETHER)
    return path_key(phrase, KINDS[kind].path.format(i=index, a=account), kind, passphrase, tried=tried)


def path_key(phrase: str, path: str, kind: str, passphrase: str = "", *, tried: bool = False) -> KnownKey:
    """The key of a phrase at any path."""
    shape = KINDS[kind]
    curve = Bip32Slip10Ed25519 if shape.ed25519 else Bip32Slip10Secp256k1
    secret = bytes(curve.FromSeed(_seed(phrase, passphrase)).DerivePath(path).PrivateKey().Raw().ToBytes())
    return KnownKey(shape.networks, shape.address(secret), secret, phrase if tried and not passphrase else None)


def uncompressed_key(rng: random.Random, network: str = "bitcoin") -> KnownKey:
    """A key whose address is that of its uncompressed public key, on Bitcoin or a chain like it; no phrase has such."""
    secret = _scalar(rng)
    return KnownKey((network,), _uncompressed(secret, bitcoin_chains.CHAINS[network].p2pkh), secret)


def other_wallets_key(rng: random.Random, phrase: str, *, unambiguous: bool = False) -> KnownKey:
    """A key of a phrase where some wallet keeps it, at a path that is none of ``KINDS``."""
    kind, path = rng.choice([each for each in OTHER_WALLETS if not unambiguous or each[0] not in _AMBIGUOUS])
    number = rng.choice((0, 1, 3))
    if path is None:
        secret = _seed(phrase, "")[:32]
        return KnownKey(("solana",), _solana(secret), secret, phrase)
    return path_key(phrase, path.format(n=number), kind, tried=True)


OTHER_WALLETS: tuple[tuple[str, str | None], ...] = (
    ("evm", "m/44'/60'/0'/{n}"),
    ("evm", "m/44'/60'/{n}'"),
    ("evm", "m/44'/61'/{n}'/0/0"),
    ("evm", "m/44'/60'/160720'/0'/{n}"),
    ("solana", "m/44'/501'/{n}'"),
    ("solana", "m/44'/501'/0'/0'/{n}'"),
    ("solana", None),
    ("bitcoin", "m/84'/0'/0'/1/{n}"),
    ("bitcoin legacy", "m/0'/0/{n}"),
    ("bitcoin nested", "m/0'/0'/{n}'"),
    ("testnet", "m/84'/0'/0'/0/{n}"),
    ("bitcoin-cash", "m/44'/0'/0'/0/{n}"),
    ("dash", "m/0'/0/{n}"),
)
"""Ledger's old application, KeepKey, Ethereum Classic, Ledger Live, Exodus, solana-keygen, BRD, Bitcoin Core."""


def kind_of(key: KnownKey) -> str:
    """The first kind of address that a key's address could be of."""
    return next(name for name, kind in KINDS.items() if kind.networks == key.networks)


def _scalar(rng: random.Random) -> bytes:
    """32 bytes that are in the range of secp256k1: the first is not 0xff."""
    return bytes((rng.randrange(1, 255),)) + rng.randbytes(31)


@cache
def _words(language: str) -> Mnemonic:
    return Mnemonic(language)


@cache
def _seed(phrase: str, passphrase: str) -> bytes:
    return bytes(Mnemonic.to_seed(phrase, passphrase))
