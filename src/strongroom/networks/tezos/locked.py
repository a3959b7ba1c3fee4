"""Private keys of Tezos under a password, ``edesk`` and ``spesk``, as octez-client exchanges them.

Eight bytes of salt, then a secret box (XSalsa20-Poly1305) with a nonce of zeros, since PBKDF2 with HMAC-SHA512 makes
another key for every salt: 32,768 rounds, ten milliseconds. octez, src/lib_signer_backends/encrypted.ml.
"""

from __future__ import annotations

from collections.abc import Callable

from strongroom.errors import InvalidKeystoreError, KeystorePasswordError
from strongroom.networks.codecs import key_text, secret_box
from strongroom.networks.codecs.keystore import MIN_PASSWORD_CHARACTERS
from strongroom.networks.tezos import texts
from strongroom.networks.tezos.texts import Prefix
from strongroom.secret import Secret

_SALT_BYTES = 8
_ROUNDS = 32_768
_KEY_BYTES = 32
_NONCE = bytes(24)


def form(document: Secret) -> Prefix | None:
    """Which of both forms a text has; None for any other text."""
    found = _decoded(document)
    return None if found is None else found[0]


def open_text(document: Secret, password: Secret) -> Secret:
    """The private key in a text, 32 bytes. Raises InvalidKeystoreError, KeystorePasswordError."""
    found = _decoded(document)
    if found is None:
        raise InvalidKeystoreError(
            "The text is no private key of Tezos under a password, or its checksum is wrong.",
            hint="Pass the 88 characters that begin with edesk or spesk; `encrypted:` does not belong to them.",
        )
    salt, box = found[1][:_SALT_BYTES], found[1][_SALT_BYTES:]
    key = secret_box.open_box(_stretched(password, salt), _NONCE, box)
    if key is None:
        raise KeystorePasswordError("The password does not open the key, or the text was changed.")
    return key


def make_text(prefix: Prefix, private_key: Secret, password: Secret, random_bytes: Callable[[int], bytes]) -> str:
    """Lock a private key of 32 bytes. Raises KeystorePasswordError for a password that is too short."""
    if not _is_strong(password):
        raise KeystorePasswordError(
            f"The password has fewer than {MIN_PASSWORD_CHARACTERS} characters, or is not UTF-8.",
            hint="Take a long one: it is all that protects the key where the text goes.",
        )
    salt = random_bytes(_SALT_BYTES)
    box = secret_box.make_box(_stretched(password, salt), _NONCE, private_key)
    return texts.encode(prefix, salt + box)


def _decoded(document: Secret) -> tuple[Prefix, bytes] | None:
    return texts.decode(key_text.strip(document) or "", Prefix.ED25519_LOCKED, Prefix.SECP256K1_LOCKED)


def _is_strong(password: Secret) -> bool:
    try:
        return len(password.reveal_text()) >= MIN_PASSWORD_CHARACTERS
    except UnicodeDecodeError:
        return False


def _stretched(password: Secret, salt: bytes) -> Secret:
    from cryptography.hazmat.primitives.hashes import SHA512
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    return Secret(PBKDF2HMAC(SHA512(), _KEY_BYTES, salt, _ROUNDS).derive(password.reveal()))
