"""JSON of polkadot-js, version 3: a private key under a password. polkadot-js common, keyring/pair, util-crypto/json.

The password is stretched by scrypt and opens an xsalsa20-poly1305 box with the secret of 64 bytes and its public key.
A document says itself how much work it asks for: what polkadot-js itself accepts is opened, nothing else.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from strongroom import bounded_json
from strongroom.errors import InvalidKeystoreError, KeystorePasswordError
from strongroom.networks.codecs import secret_box, ss58
from strongroom.networks.codecs.keystore import MAX_SCRYPT_BYTES, MIN_PASSWORD_CHARACTERS, Scrypt
from strongroom.secret import Secret

SCHEMES = ("sr25519", "ed25519")
MAX_DOCUMENT_BYTES = 65_536
"""Its ``meta`` may be long."""
_COSTS = frozenset({(8192, 10, 8), (16384, 5, 8), (32768, 3, 8), (32768, 1, 8), (65536, 2, 8), (131072, 1, 8)})
"""n, p and r that polkadot-js opens: util-crypto, scrypt/defaults.ts."""
_N, _P, _R = 131_072, 1, 8
_SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 24, 16
_PUBLIC_BYTES, _SECRET_BYTES = 32, 64
_HEADER = bytes.fromhex("3053020101300506032b657004220420")
_DIVIDER = bytes.fromhex("a123032100")
_PLAINTEXT_BYTES = len(_HEADER) + _SECRET_BYTES + len(_DIVIDER) + _PUBLIC_BYTES
_BOX = slice(_SALT_BYTES + 12 + _NONCE_BYTES, None)
_NOT_LOCKED = "is not encrypted: its key is in plaintext in it"


@dataclass(frozen=True, slots=True)
class PolkadotDocument:
    """A document taken apart; nothing in it is authenticated yet."""

    scheme: str
    kdf: Scrypt = field(repr=False)
    nonce: bytes = field(repr=False)
    box: Secret
    """Wrapped like a key: who takes a key for a document put it there in plaintext."""
    account: bytes | None = field(repr=False)
    """32 bytes of the address, whatever its prefix; None where the document names none."""


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """What was in a document."""

    private_key: Secret
    """64 bytes of sr25519, in the form of Ed25519's; the seed of Ed25519, 32 bytes."""
    scheme: str
    accounts: tuple[bytes, ...]
    """The public key next to it, and that of the address: whoever has the key compares."""


def open_document(document: Secret, password: Secret) -> OpenedDocument:
    """Decrypt a document; takes a second or less. The password is taken as it is, in UTF-8.

    Raises InvalidKeystoreError for what is no encrypted document of version 3 with a key of sr25519 or Ed25519, or asks
    for other work; KeystorePasswordError where the password does not fit.
    """
    parsed = _parsed(document)
    if isinstance(parsed, str):
        raise InvalidKeystoreError(f"The document {parsed}.")
    derived = parsed.kdf.derive(password)
    if derived is None:
        raise InvalidKeystoreError("The document takes more memory than there is.", hint="Open it elsewhere.")
    plaintext = secret_box.open_box(derived, parsed.nonce, parsed.box.reveal())
    if plaintext is None:
        raise KeystorePasswordError("The password does not open the document, or the document is damaged.")
    opened = _opened(parsed, plaintext)
    if opened is None:
        raise InvalidKeystoreError("The document opens, and what is in it is no private key of polkadot-js.")
    return opened


def scheme_of(document: Secret) -> str | None:
    """``sr25519`` or ``ed25519``, as a document says; None for one that is not opened."""
    parsed = _parsed(document)
    return None if isinstance(parsed, str) else parsed.scheme


def is_document(document: dict[str, Any]) -> bool:
    """Whether an object has the members of a document of polkadot-js, readable or not."""
    return isinstance(document.get("encoded"), str) and isinstance(document.get("encoding"), dict)


def refusal(document: Secret) -> str | None:
    """Why a document would not be opened, whatever its password, as the rest of a sentence; None where it would."""
    parsed = _parsed(document)
    return parsed if isinstance(parsed, str) else None


def cost(document: Secret) -> float:
    """What it costs to try one password, in scrypts with geth's parameters; 0 where none would be tried."""
    parsed = _parsed(document)
    if isinstance(parsed, str):
        return 0.0
    return 128 * parsed.kdf.n * parsed.kdf.r * parsed.kdf.p / MAX_SCRYPT_BYTES


def make_document(
    secret: Secret,
    public_key: bytes,
    scheme: str,
    address: str,
    password: Secret,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Encrypt a secret of 64 bytes (of Ed25519: seed and public key); takes half a second.

    Raises KeystorePasswordError for a password that is too short or not text, InvalidKeystoreError where the memory
    does not suffice.
    """
    if not _is_strong(password):
        raise KeystorePasswordError(
            f"The password of a document is UTF-8 text of at least {MIN_PASSWORD_CHARACTERS} characters.",
            hint="Choose a long password: anyone who gets the file can guess at leisure.",
        )
    kdf = Scrypt(_N, _R, _P, random_bytes(_SALT_BYTES))
    derived = kdf.derive(password)
    if derived is None:
        raise InvalidKeystoreError("There is not enough memory for scrypt.", hint="Try on a machine with more memory.")
    nonce = random_bytes(_NONCE_BYTES)
    numbers = b"".join(number.to_bytes(4, "little") for number in (_N, _P, _R))
    box = secret_box.make_box(derived, nonce, Secret(_HEADER + secret.reveal() + _DIVIDER + public_key))
    document = {
        "encoded": base64.b64encode(kdf.salt + numbers + nonce + box).decode(),
        "encoding": {"content": ["pkcs8", scheme], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3"},
        "address": address,
        "meta": {},
    }
    return json.dumps(document, separators=(",", ":"))


def _is_strong(password: Secret) -> bool:
    try:
        return len(password.reveal_text()) >= MIN_PASSWORD_CHARACTERS
    except UnicodeDecodeError:
        return False


def _opened(document: PolkadotDocument, plaintext: Secret) -> OpenedDocument | None:
    whole, secret_end = plaintext.reveal(), len(_HEADER) + _SECRET_BYTES
    secret, rest = whole[len(_HEADER) : secret_end], whole[secret_end:]
    if len(whole) != _PLAINTEXT_BYTES or not whole.startswith(_HEADER) or not rest.startswith(_DIVIDER):
        return None
    public = rest[len(_DIVIDER) :]
    if document.scheme == "ed25519" and secret[_PUBLIC_BYTES:] != public:
        return None
    key = Secret(secret[:_PUBLIC_BYTES] if document.scheme == "ed25519" else secret)
    return OpenedDocument(key, document.scheme, (public,) if document.account is None else (public, document.account))


# --- reading a document: what does not fit is a sentence that says so and quotes nothing --------------------


def _parsed(document: Secret) -> PolkadotDocument | str:
    if len(document.reveal()) > MAX_DOCUMENT_BYTES:
        return f"is longer than {MAX_DOCUMENT_BYTES:,} bytes"
    try:
        read = bounded_json.loads(document.reveal().decode("utf-8-sig"), object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return "is not JSON, or has a member twice"
    return _document(read)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _document(read: Any) -> PolkadotDocument | str:
    encoding = read.get("encoding") if isinstance(read, dict) else None
    if not isinstance(encoding, dict) or encoding.get("version") != "3":
        return "is not one of version 3 of polkadot-js"
    content, kinds = encoding.get("content"), encoding.get("type")
    if kinds in ("none", ["none"]):
        return _NOT_LOCKED
    if kinds != ["scrypt", "xsalsa20-poly1305"]:
        return "is not encrypted by scrypt and xsalsa20-poly1305"
    if not isinstance(content, list) or len(content) != 2 or content[0] != "pkcs8" or content[1] not in SCHEMES:
        return f"holds no key of {' or '.join(SCHEMES)}"
    data = _base64(read.get("encoded"))
    if data is None or len(data) != _SALT_BYTES + 12 + _NONCE_BYTES + _TAG_BYTES + _PLAINTEXT_BYTES:
        return "has no box of the right length"
    n, p, r = (int.from_bytes(data[at : at + 4], "little") for at in (32, 36, 40))
    if (n, p, r) not in _COSTS:
        return "asks for other work of scrypt than polkadot-js does"
    account = _account(read.get("address"))
    if isinstance(account, str):
        return account
    return PolkadotDocument(content[1], Scrypt(n, r, p, data[:_SALT_BYTES]), data[44:68], Secret(data[_BOX]), account)


def _account(address: Any) -> bytes | str | None:
    if address in (None, ""):
        return None
    read = ss58.decode(address) if isinstance(address, str) else None
    return "has an address that is not SS58" if read is None else read[1]


def _base64(text: Any) -> bytes | None:
    if not isinstance(text, str) or not text.isascii():
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return data if base64.b64encode(data).decode() == text else None
