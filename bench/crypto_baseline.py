"""The floor's key work: the libraries that strongroom uses, called directly and in the order that costs least.

Phrase, seed, BIP-32, EVM address, sealing as docs/format.md says; no classes, no checks, no proof before the write.
What it makes are wallets that strongroom opens: the bench verifies them after the run.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import wallycore
from Crypto.Hash import keccak
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from mnemonic import Mnemonic

NETWORK = "ethereum"
PATH = "m/44'/60'/0'/0/0"
SCHEME = "bip44"
_STEPS = (0x8000002C, 0x8000003C, 0x80000000, 0, 0)


class SealingKey(NamedTuple):
    """A sealing key of the database at hand, and its name."""

    kid: str
    key: bytes


class BareKey(NamedTuple):
    """A key and what it shows to the world."""

    mnemonic: str
    private_key: bytes
    public_key: str
    address: str


class BareWallet(NamedTuple):
    """What the floor writes."""

    id: UUID
    project_id: UUID
    label: str
    key: BareKey
    sealed_text: str


@cache
def _words() -> tuple[str, ...]:
    return tuple(Mnemonic("english").wordlist)


def new_phrase() -> str:
    """Twelve words. BIP-39."""
    entropy = os.urandom(16)
    number = int.from_bytes(entropy) << 4 | hashlib.sha256(entropy).digest()[0] >> 4
    words = _words()
    return " ".join([words[number >> shift & 2047] for shift in range(121, -1, -11)])


def seed_of(mnemonic: str) -> bytes:
    """PBKDF2-HMAC-SHA512, 2048 rounds: most of what a wallet costs. BIP-39."""
    return bytes(PBKDF2HMAC(SHA512(), 64, b"mnemonic", 2048).derive(mnemonic.encode()))


def private_key_of(seed: bytes) -> bytes:
    """The private key at ``PATH``. BIP-32."""
    return _walked(seed, _STEPS)[0]


def node_of(seed: bytes) -> tuple[bytes, bytes]:
    """The private key and chain code above the last element of ``PATH``, from which indices are derived. BIP-32."""
    return _walked(seed, _STEPS[:-1])


def _walked(seed: bytes, steps: tuple[int, ...]) -> tuple[bytes, bytes]:
    digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
    key, chain_code = digest[:32], digest[32:]
    for step in steps:
        start = b"\0" + key if step >> 31 else bytes(wallycore.ec_public_key_from_private_key(key))
        digest = hmac.digest(chain_code, start + step.to_bytes(4), "sha512")
        key, chain_code = bytes(wallycore.ec_scalar_add(key, digest[:32])), digest[32:]
    return key, chain_code


def public_half_of(private_key: bytes) -> tuple[str, str]:
    """Compressed point in hex, and the address. EIP-55."""
    point = bytes(wallycore.ec_public_key_from_private_key(private_key))
    digits = keccak_256(bytes(wallycore.ec_public_key_decompress(point))[1:])[-40:]
    nibbles = keccak_256(digits.encode())
    pairs = zip(digits, nibbles, strict=False)
    return point.hex(), "0x" + "".join([digit.upper() if nibble > "7" else digit for digit, nibble in pairs])


def new_key(_: object = None) -> BareKey:
    """A key with a phrase of its own."""
    mnemonic = new_phrase()
    private_key = private_key_of(seed_of(mnemonic))
    return BareKey(mnemonic, private_key, *public_half_of(private_key))


def given_key(_: object = None) -> BareKey:
    """A key that no phrase derives, with any phrase alongside it: a sealed text of the usual length, made quickly."""
    private_key = os.urandom(32)
    return BareKey(new_phrase(), private_key, *public_half_of(private_key))


def project_key(sealing_key: bytes, project_id: UUID) -> bytes:
    """HKDF-SHA256 with one block of output. RFC 5869."""
    extracted = hmac.digest(bytes(32), sealing_key, "sha256")
    return hmac.digest(extracted, b"strongroom/v1/project/" + str(project_id).encode() + b"\1", "sha256")


def seal(key: BareKey, wallet_id: UUID, project_id: UUID, sealing: SealingKey) -> str:
    """A compact JWE, A256KW and A256GCM, bound to its row. RFC 7516."""
    document = {
        "v": 1,
        "private_key": key.private_key.hex(),
        "scheme": SCHEME,
        "path": PATH,
        "mnemonic": key.mnemonic,
    }
    protected = header(sealing.kid, project_id, wallet_id, key.address)
    return sealed_document(document, protected, project_key(sealing.key, project_id))


def sealed_document(document: dict[str, Any], header: bytes, wallet_key: bytes) -> str:
    """A document as a compact JWE. RFC 7516."""
    protected, content_key, nonce = _base64url(header), os.urandom(32), os.urandom(12)
    payload = json.dumps(document, separators=(",", ":")).encode()
    sealed = AESGCM(content_key).encrypt(nonce, payload, protected)
    wrapped = aes_key_wrap(wallet_key, content_key)
    segments = (protected, _base64url(wrapped), _base64url(nonce), _base64url(sealed[:-16]), _base64url(sealed[-16:]))
    return b".".join(segments).decode()


def reseal(rows: list[tuple[Any, ...]], old: SealingKey, new: SealingKey) -> list[str]:
    """Open rows of (id, project id, address, public key, sealed text), derive, seal each anew, and open that."""
    keys: dict[UUID, tuple[bytes, bytes]] = {}
    texts = []
    for wallet_id, project_id, address, public_key, text in rows:
        pair = keys.get(project_id)
        if pair is None:
            pair = keys[project_id] = project_key(old.key, project_id), project_key(new.key, project_id)
        document = open_sealed(text, pair[0], header(old.kid, project_id, wallet_id, address))
        protected = header(new.kid, project_id, wallet_id, address)
        sealed = sealed_document(document, protected, pair[1])
        derived = public_half_of(bytes.fromhex(document["private_key"]))
        if derived != (public_key, address) or open_sealed(sealed, pair[1], protected) != document:
            raise RuntimeError("what was sealed anew does not prove")
        texts.append(sealed)
    return texts


def new_wallet(project_id: UUID, label: str, key: BareKey, sealing: SealingKey) -> BareWallet:
    """Seal a key under a new id."""
    wallet_id = new_id()
    return BareWallet(wallet_id, project_id, label, key, seal(key, wallet_id, project_id, sealing))


def new_id() -> UUID:
    """A UUID of version 7. RFC 9562."""
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=number & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def open_sealed(text: str, wallet_key: bytes, expected_header: bytes) -> dict[str, Any]:
    """The payload of a sealed text."""
    protected, wrapped, nonce, body, tag = text.encode().split(b".")
    if _unbase64url(protected) != expected_header:
        raise ValueError("another row's")
    content_key = aes_key_unwrap(wallet_key, _unbase64url(wrapped))
    opened = AESGCM(content_key).decrypt(_unbase64url(nonce), _unbase64url(body) + _unbase64url(tag), protected)
    return json.loads(opened)  # type: ignore[no-any-return]


def verify(rows: list[tuple[Any, ...]], sealing: SealingKey, *, phrases: bool) -> int:
    """Open and derive rows of (id, project id, address, public key, sealed text); return how many are right."""
    project_keys: dict[UUID, bytes] = {}
    right = 0
    for wallet_id, project_id, address, public_key, text in rows:
        wallet_key = project_keys.get(project_id)
        if wallet_key is None:
            wallet_key = project_keys[project_id] = project_key(sealing.key, project_id)
        payload = open_sealed(text, wallet_key, header(sealing.kid, project_id, wallet_id, address))
        private_key = bytes.fromhex(payload["private_key"])
        holds = public_half_of(private_key) == (public_key, address)
        if phrases:
            holds = holds and private_key_of(seed_of(payload["mnemonic"])) == private_key
        right += holds
    return right


def claim(rows: list[tuple[Any, ...]]) -> int:
    """Read the header of each sealed text, and compare it with its row; return how many are right.

    Rows begin with (id, project id, network, ..., address), as a page of wallets has them, and end with the text.
    """
    right = 0
    for row in rows:
        said = json.loads(_unbase64url(row[-1].partition(".")[0].encode()))
        claimed = said["credential"], said["project"], said["network"], said["address"]
        right += claimed == (str(row[0]), str(row[1]), row[2], row[4])
    return right


def tag_key(sealing_key: bytes, kind: str) -> bytes:
    """The key of the tags of a kind of record. HKDF-SHA256 with one block of output. RFC 5869."""
    extracted = hmac.digest(bytes(32), sealing_key, "sha256")
    return hmac.digest(extracted, f"strongroom/v1/tag/{kind}".encode() + b"\1", "sha256")


def tag(key: bytes, fields: Iterable[str | None]) -> str:
    """The tag of a record, as docs/format.md says. Fields in ASCII."""
    data = "".join(["-" if each is None else f"{len(each)}:{each}" for each in fields])
    return _base64url(hmac.digest(key, data.encode(), "sha256")).decode()


def keccak_256(data: bytes) -> str:
    """The digest in hex, as Ethereum pads it."""
    return keccak.new(digest_bits=256, data=data).hexdigest()


def header(kid: str, project_id: object, wallet_id: object, address: str) -> bytes:
    """The protected header of a sealed text, as docs/format.md says."""
    return (
        f'{{"kid":"{kid}","alg":"A256KW","enc":"A256GCM","typ":"strongroom+1","project":"{project_id}",'
        f'"credential":"{wallet_id}","network":"{NETWORK}","address":"{address}"}}'
    ).encode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unbase64url(data: bytes) -> bytes:
    return base64.urlsafe_b64decode(data + b"==")
