"""Argon2id (RFC 9106): from a passphrase to 32 bytes, and its parameters in the header of a wrap.

New wraps get the second recommended profile of RFC 9106, section 4: t=3, p=4, 64 MiB. What a stored header asks
for is bounded on both sides, and refused before anything is computed: below, the least that OWASP recommends (t=2,
19 MiB, p=1), so that nobody is taken in by a wrap that could be guessed cheaply; above, what would let anyone who
writes to the database take the memory and the hours of anyone who opens the vault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.crypto import jwe
from strongroom.errors import RootKeyError
from strongroom.secret import Secret

PASSES = (2, 10)
LANES = (1, 16)
MEMORY_KIB = (19 * 1024, 1024 * 1024)
MOST_WORK = PASSES[1] * MEMORY_KIB[1]
"""KiB times passes that one root key computes, for however many salts: as much as a single wrap may ask for."""
SALT_BYTES = 16
_KEY_BYTES = 32
_NUMBER = re.compile("[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What Argon2id takes in addition to the passphrase. Version 0x13, no secret value, no associated data."""

    passes: int
    """t, the number of passes over the memory."""
    lanes: int
    """p, the degree of parallelism."""
    memory_kib: int
    """The parameter m of RFC 9106, in KiB."""
    salt: bytes

    @property
    def is_profile(self) -> bool:
        """Whether these are the parameters of new wraps, whatever the salt."""
        return self == profile(self.salt)

    @property
    def work(self) -> int:
        """What they cost: KiB of memory times passes over it."""
        return self.memory_kib * self.passes

    def members(self) -> dict[str, str]:
        """The members of a wrap's header, in their order."""
        return {
            "kdf": "argon2id",
            "t": str(self.passes),
            "p": str(self.lanes),
            "m": str(self.memory_kib),
            "salt": jwe.encode_segment(self.salt),
        }


def profile(salt: bytes) -> Parameters:
    """The parameters of new wraps. RFC 9106, section 4, second recommended option."""
    return Parameters(passes=3, lanes=4, memory_kib=64 * 1024, salt=salt)


def of_header(header: Mapping[str, str]) -> Parameters | None:
    """The parameters that a header names, or None where a member is missing, malformed or out of bounds."""
    passes = _number(header, "t", PASSES)
    lanes = _number(header, "p", LANES)
    memory_kib = _number(header, "m", MEMORY_KIB)
    salt = _salt(header.get("salt", ""))
    if header.get("kdf") != "argon2id" or passes is None or lanes is None or memory_kib is None or salt is None:
        return None
    return Parameters(passes, lanes, memory_kib, salt)


def stretch(passphrase: Secret, parameters: Parameters) -> Secret:
    """Return 32 bytes; takes the time and the memory that the parameters ask for. RFC 9106.

    Raises RootKeyError where the machine has too little memory, or the library no Argon2id.
    """
    stretched = _derive(passphrase, parameters)
    if isinstance(stretched, str):
        raise RootKeyError("The passphrase cannot be stretched by Argon2id.", hint=stretched)
    return stretched


def _derive(passphrase: Secret, parameters: Parameters) -> Secret | str:
    """The key, or what to do to get it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        argon2id = Argon2id(
            salt=parameters.salt,
            length=_KEY_BYTES,
            iterations=parameters.passes,
            lanes=parameters.lanes,
            memory_cost=parameters.memory_kib,
        )
        return Secret(argon2id.derive(passphrase.reveal()))
    except MemoryError:
        return f"It takes {parameters.memory_kib // 1024} MiB of memory for a moment; let the process have them."
    except UnsupportedAlgorithm:
        return "Install a build of the package cryptography on OpenSSL 3.2 or newer; its own wheels are."


def _number(header: Mapping[str, str], name: str, bounds: tuple[int, int]) -> int | None:
    text = header.get(name, "")
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if bounds[0] <= number <= bounds[1] else None


def _salt(text: str) -> bytes | None:
    try:
        salt = jwe.decode_segment(text)
    except (jwe.JweError, ValueError):
        return None
    return salt if len(salt) == SALT_BYTES else None
