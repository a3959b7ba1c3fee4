"""The address variants of a network: each is a scheme, and the path of its keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from strongroom.errors import InvalidPathError, UnknownVariantError
from strongroom.networks.curves.curve import SECP256K1
from strongroom.networks.curves.paths import HARDENED

DEFAULT = "default"
UNCOMPRESSED = "p2pkh-uncompressed"
"""The scheme of a Bitcoin key whose public key is hashed as 65 bytes. Such keys come from elsewhere; none is made."""
RAW_SEED = "raw-seed"
"""The scheme that has no path: the first 32 bytes of the phrase's seed are the key."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to derive and to show a key of a network."""

    name: str
    """What users choose, such as ``taproot``; the first of a network is ``default``."""
    scheme: str
    """What is stored with each wallet, such as ``bip86``; unique within a network."""
    path: str | None
    """The path of a key, with ``{index}`` where wallets of the network have its number; None: it has no paths."""
    curve: str = SECP256K1
    """What its keys are on: ``secp256k1``, ``ed25519``."""


Variants = tuple[Variant, ...]


def names(variants: Variants) -> tuple[str, ...]:
    """The names, the default first."""
    return tuple(variant.name for variant in variants)


def schemes(variants: Variants) -> tuple[str, ...]:
    """The schemes, the default's first."""
    return tuple(variant.scheme for variant in variants)


def find(variants: Variants, name: str | None) -> Variant:
    """Return the variant of a name, or the first for None. Raises UnknownVariantError."""
    for variant in variants:
        if name is None or variant.name == name:
            return variant
    raise UnknownVariantError(f"The network's variants are: {', '.join(names(variants))}.")


def of_scheme(variants: Variants, scheme: str) -> Variant:
    """Return the variant of a scheme. Raises UnknownVariantError."""
    for variant in variants:
        if variant.scheme == scheme:
            return variant
    raise UnknownVariantError(f"The network's schemes are: {', '.join(schemes(variants))}.")


def path_of(variants: Variants, scheme: str, index: int) -> str | None:
    """The path of an index in a scheme; None where it has no paths. Raises UnknownVariantError, InvalidPathError."""
    template = of_scheme(variants, scheme).path
    if type(index) is not int or not 0 <= index < HARDENED:
        raise InvalidPathError(f"An index is a whole number from 0 to {HARDENED - 1:,}.")
    return _path_at(template, index)


@lru_cache(1024)
def _path_at(path: str | None, index: int) -> str | None:
    return None if path is None else path.format(index=index)
