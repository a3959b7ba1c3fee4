"""Web3 Secret Storage, version 3: a private key in JSON under a password, as wallets of the EVM exchange it.

Read: scrypt and PBKDF2-HMAC-SHA256, AES-128-CTR. Written: scrypt with geth's standard parameters. A document says
itself how much work it asks for; above the limits here it is refused and nothing is computed. Its authentication
code does not cover the initialisation vector, so that only the address tells whether that is intact.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from strongroom import bounded_json
from strongroom.errors import InvalidKeystoreError, KeystorePasswordError
from strongroom.networks.keccak import keccak_256
from strongroom.networks.wally import scrypt_beyond_rfc7914
from strongroom.secret import Secret

MAX_DOCUMENT_BYTES = 16_384
MAX_SCRYPT_BYTES = 256 * 1024 * 1024
"""128 * n * r * p: bounds the memory and the time. geth's standard (n=262144, r=8, p=1) is exactly this."""
MAX_ITERATIONS = 10_000_000
MIN_PASSWORD_CHARACTERS = 8
_ITERATIONS_OF_A_UNIT = 5_000_000
_VERSION = 3
_KEY_BYTES = 32
_MOST_FLOAT = 1 << 53
_NUMBER = re.compile(r"([1-9][0-9]{0,15})(?:\.0)?")  # 262.000 may be thousands
_HEX = re.compile("(?:0[xX])?((?:[0-9a-fA-F]{2})*)")


@dataclass(frozen=True, slots=True)
class Scrypt:
    """The parameters of scrypt (RFC 7914), with a salt in bytes."""

    n: int
    r: int
    p: int
    salt: bytes

    def derive(self, password: Secret) -> Secret | None:
        """The derived key of 32 bytes, or None where the machine has too little memory."""
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt as OpenSslScrypt

        if self.n.bit_length() > 16 * self.r:  # n >= 2^(16 r): against the RFC, and early wallets wrote it with r=1
            return scrypt_beyond_rfc7914(password, self.salt, self.n, self.r, self.p)
        try:
            kdf = OpenSslScrypt(salt=self.salt, length=_KEY_BYTES, n=self.n, r=self.r, p=self.p)
            return Secret(kdf.derive(password.reveal()))
        except MemoryError:
            return None


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """The parameters of PBKDF2 (RFC 8018) with HMAC-SHA256, with a salt in bytes."""

    iterations: int
    salt: bytes

    def derive(self, password: Secret) -> Secret | None:
        """The derived key of 32 bytes."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

        return Secret(PBKDF2HMAC(SHA256(), _KEY_BYTES, self.salt, self.iterations).derive(password.reveal()))


@dataclass(frozen=True, slots=True)
class Keystore:
    """A document taken apart; nothing in it is authenticated yet."""

    kdf: Scrypt | Pbkdf2
    iv: bytes
    ciphertext: bytes
    mac: bytes
    address: str | None
    """40 lower-case hexadecimal digits, or None where the document names no address."""


@dataclass(frozen=True, slots=True)
class DecryptedKeystore:
    """What was in a document."""

    private_key: Secret
    """32 bytes; nothing says yet that they are a key of the curve."""
    address: str | None
    """The address that the document names; anyone who has the key compares."""


def open_document(document: Secret, password: Secret) -> DecryptedKeystore:
    """Decrypt a document; takes a second or so.

    A password outside of ASCII is tried as it is given, and in the normal forms in which wallets write it.

    Raises InvalidKeystoreError for what is not a version 3 keystore or asks for too much, KeystorePasswordError
    where the password does not fit. Web3 Secret Storage Definition.
    """
    keystore = _parsed(document)
    if isinstance(keystore, str):
        raise InvalidKeystoreError(f"The keystore {keystore}.")
    for form in _forms(password):
        derived = keystore.kdf.derive(form)
        if derived is None:
            raise InvalidKeystoreError("The keystore takes more memory than there is.", hint="Open it elsewhere.")
        if _fits(keystore, derived):
            return DecryptedKeystore(_crypt(keystore.ciphertext, keystore.iv, derived), keystore.address)
    raise KeystorePasswordError("The password does not open the keystore, or the keystore is damaged.")


def cost(document: Secret) -> float:
    """What it costs to try one password, in scrypts with geth's parameters; 0 where none would be tried."""
    keystore = _parsed(document)
    if isinstance(keystore, str):
        return 0.0
    kdf = keystore.kdf
    if isinstance(kdf, Scrypt):
        return 128 * kdf.n * kdf.r * kdf.p / MAX_SCRYPT_BYTES
    return kdf.iterations / _ITERATIONS_OF_A_UNIT


def refusal(document: Secret) -> str | None:
    """Why a document would not be opened, whatever its password, as the rest of a sentence; None where it would."""
    keystore = _parsed(document)
    return keystore if isinstance(keystore, str) else None


def make_document(
    private_key: Secret, password: Secret, address: str, random_bytes: Callable[[int], bytes] = os.urandom
) -> str:
    """Encrypt a key of 32 bytes that derives ``address`` (40 hexadecimal digits); takes a second or so.

    The password is taken as it is, in UTF-8. Raises KeystorePasswordError for a password that is too short or not
    text, InvalidKeystoreError where the memory does not suffice. Web3 Secret Storage Definition, version 3.
    """
    if not _is_strong(password):
        raise KeystorePasswordError(
            f"The password of a keystore is UTF-8 text of at least {MIN_PASSWORD_CHARACTERS} characters.",
            hint="Choose a long password: anyone who gets the file can guess at leisure.",
        )
    kdf = Scrypt(n=262_144, r=8, p=1, salt=random_bytes(32))
    derived = kdf.derive(password)
    if derived is None:
        raise InvalidKeystoreError("A keystore takes 256 MiB of memory for a moment, and there is not as much.")
    iv = random_bytes(16)
    ciphertext = _crypt(private_key.reveal(), iv, derived).reveal()
    document = {
        "address": address,
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": _KEY_BYTES, "n": kdf.n, "r": kdf.r, "p": kdf.p, "salt": kdf.salt.hex()},
            "mac": _mac(ciphertext, derived).hex(),
        },
        "id": str(UUID(bytes=random_bytes(16), version=4)),
        "version": _VERSION,
    }
    return json.dumps(document, separators=(",", ":"))


def _forms(password: Secret) -> Iterator[Secret]:
    """As given (geth), composed, and NFKC (ethers); each only if it differs."""
    yield password
    try:
        text = password.reveal_text()
    except UnicodeDecodeError:
        return
    forms = dict.fromkeys((text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text)))
    for form in list(forms)[1:]:
        yield Secret.from_text(form)


def _is_strong(password: Secret) -> bool:
    try:
        return len(password.reveal_text()) >= MIN_PASSWORD_CHARACTERS
    except UnicodeDecodeError:
        return False


def _mac(ciphertext: bytes, derived: Secret) -> bytes:
    return keccak_256(derived.reveal()[16:32] + ciphertext)


def _fits(keystore: Keystore, derived: Secret) -> bool:
    return hmac.compare_digest(_mac(keystore.ciphertext, derived), keystore.mac)


def _crypt(text: bytes, iv: bytes, derived: Secret) -> Secret:
    """AES-128-CTR, which is its own inverse; a key that lost its leading zeros gets them back."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR

    return Secret(Cipher(AES(derived.reveal()[:16]), CTR(iv)).encryptor().update(text).rjust(_KEY_BYTES, b"\0"))


# --- reading a document: what does not fit is a sentence that says so and quotes nothing --------------------


class _Refused(Exception):
    """Ends here and never leaves this module."""


def _parsed(document: Secret) -> Keystore | str:
    if len(document.reveal()) > MAX_DOCUMENT_BYTES:
        return f"is longer than {MAX_DOCUMENT_BYTES:,} bytes"
    try:
        return _keystore(bounded_json.loads(document.reveal().decode("utf-8-sig"), object_pairs_hook=_object))
    except _Refused as refusal:
        return str(refusal)
    except (ValueError, RecursionError):
        return "is not JSON"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with its names in lower case: old wallets write ``Crypto``."""
    members = {name.lower(): value for name, value in pairs}
    if len(members) != len(pairs):
        raise _Refused("has a member twice")
    return members


def _keystore(document: Any) -> Keystore:
    if not isinstance(document, dict) or _whole(document.get("version")) != _VERSION:
        raise _Refused("is not of version 3 of Web3 Secret Storage")
    crypto = _member(document, "crypto")
    if crypto.get("cipher") != "aes-128-ctr":
        raise _Refused("has another cipher than aes-128-ctr")
    # Wallets that keep the address to themselves write it as null or as an empty text.
    address = _bytes(document, "address", 20, 20).hex() if document.get("address") not in (None, "") else None
    # Some wallets dropped leading zeros of the key; only the address can tell that nothing else is missing.
    shortest = _KEY_BYTES if address is None else 1
    return Keystore(
        _kdf(crypto.get("kdf"), _member(crypto, "kdfparams")),
        _bytes(_member(crypto, "cipherparams"), "iv", 16, 16),
        _bytes(crypto, "ciphertext", shortest, _KEY_BYTES),
        _bytes(crypto, "mac", 32, 32),
        address,
    )


def _kdf(name: Any, parameters: dict[str, Any]) -> Scrypt | Pbkdf2:
    salt = _bytes(parameters, "salt", 1, 64)
    _number(parameters, "dklen", _KEY_BYTES, _KEY_BYTES)
    if name == "scrypt":
        n = _number(parameters, "n", 2, 1 << 21)
        r, p = _number(parameters, "r", 1, 32), _number(parameters, "p", 1, 64)
        if n & n - 1:
            raise _Refused("has a scrypt n that is not a power of two")
        if 128 * n * r * p > MAX_SCRYPT_BYTES:
            raise _Refused(f"asks for more of scrypt than {MAX_SCRYPT_BYTES >> 20} MiB (128 * n * r * p)")
        return Scrypt(n, r, p, salt)
    if name == "pbkdf2":
        if parameters.get("prf") != "hmac-sha256":
            raise _Refused("has another prf than hmac-sha256")
        return Pbkdf2(_number(parameters, "c", 1, MAX_ITERATIONS), salt)
    raise _Refused("has another kdf than scrypt and pbkdf2")


def _member(members: dict[str, Any], name: str) -> dict[str, Any]:
    value = members.get(name)
    if not isinstance(value, dict):
        raise _Refused(f"has no object {name}")
    return value


def _number(members: dict[str, Any], name: str, low: int, high: int) -> int:
    value = _whole(members.get(name))
    if value is None or not low <= value <= high:
        raise _Refused(f"has a {name} that is not a whole number, {low:,} to {high:,}")
    return value


def _whole(value: Any) -> int | None:
    """A whole number, also as a float (``262144.0``) or a text of either: some languages write no other."""
    if type(value) is float and value.is_integer() and abs(value) < _MOST_FLOAT:
        return int(value)
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        return None if found is None else int(found[1])
    return value if type(value) is int else None


def _bytes(members: dict[str, Any], name: str, shortest: int, longest: int) -> bytes:
    value = members.get(name)
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    if found is None or not shortest <= len(found[1]) // 2 <= longest:
        raise _Refused(f"has a {name} that is not {shortest} to {longest} bytes in hexadecimal")
    return bytes.fromhex(found[1])
