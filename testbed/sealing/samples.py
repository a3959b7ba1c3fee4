"""A keyring, an identity and a key to seal, fixed; and texts that were forged with the right key."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from strongroom.crypto import jwe, sealing
from strongroom.crypto.keyring import Keyring, kid_of
from strongroom.errors import NotSealedError, SealedTextCorruptError, UnknownSealingKeyError
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.secret import Secret

ABANDON = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
PRIVATE_KEY = "1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"
SEALING_KEY = Secret(bytes(range(0x20, 0x40)))
KID = kid_of(SEALING_KEY)
KEYS = Keyring(KID, {KID: SEALING_KEY})
IDENTITY = Identity(
    project_id=UUID("6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"),
    credential_id=UUID("0198c0de-0000-7000-8000-000000000001"),
    network="ethereum",
    address="0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
)
MATERIAL = KeyMaterial(
    private_key=Secret(bytes.fromhex(PRIVATE_KEY)),
    scheme="bip44",
    path="m/44'/60'/0'/0/0",
    mnemonic=Secret.from_text(ABANDON),
    passphrase=Secret.from_text("ㄅ TREZOR"),
)
HEADER = {
    "kid": KID,
    "alg": "A256KW",
    "enc": "A256GCM",
    "typ": "strongroom+1",
    "project": str(IDENTITY.project_id),
    "credential": str(IDENTITY.credential_id),
    "network": IDENTITY.network,
    "address": IDENTITY.address,
}
PAYLOAD = b'{"v":1,"private_key":"' + PRIVATE_KEY.encode() + b'","scheme":"bip44"}'


def sealed(
    identity: Identity = IDENTITY,
    material: KeyMaterial = MATERIAL,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """A real sealed text."""
    return sealing.seal(material, identity, KID, KEYS, random_bytes)


def opened(text: str, identity: Identity = IDENTITY) -> KeyMaterial:
    """Open a text in the row of an identity."""
    return sealing.open_sealed(text, identity, KEYS)


def forged(header: bytes, payload: bytes = PAYLOAD) -> str:
    """A text with this protected header, made with the right key: all that is left to refuse is the form."""
    protected = jwe.encode_segment(header)
    content_key, nonce = os.urandom(32), os.urandom(12)
    content = AESGCM(content_key).encrypt(nonce, payload, protected.encode())
    wrapped = aes_key_wrap(KEYS.project_key(KID, IDENTITY.project_id).reveal(), content_key)
    return ".".join((protected, *map(jwe.encode_segment, (wrapped, nonce, content[:-16], content[-16:]))))


def same(one: KeyMaterial, other: KeyMaterial) -> bool:
    """Whether two key materials are equal; Secrets do not compare."""
    return _plain(one) == _plain(other)


def _plain(material: KeyMaterial) -> tuple[object, ...]:
    secrets = (material.private_key, material.mnemonic, material.passphrase)
    return (material.scheme, material.path, *(None if secret is None else secret.reveal() for secret in secrets))


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TEXT = sealed(random_bytes=random.Random(7520).randbytes)
DAMAGE = (NotSealedError, SealedTextCorruptError, UnknownSealingKeyError)


def with_segment(number: int, segment: str, text: str = TEXT) -> str:
    segments = text.split(".")
    segments[number] = segment
    return ".".join(segments)


def unused_bits(text: str) -> Iterator[str]:
    """The texts that decode to the same bytes and are not canonical: unused bits in a segment's last character."""
    for number, segment in enumerate(text.split(".")):
        free = {2: 16, 3: 4}.get(len(segment) % 4, 1)
        last = ALPHABET.index(segment[-1])
        for other in range(last, last + free):
            if other != last:
                yield with_segment(number, segment[:-1] + ALPHABET[other], text)
