"""The address variants of a network: each is a scheme, and the path of its first key."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.errors import UnknownVariantError

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to derive and to show a key of a network."""

    name: str
    """What users choose, such as ``taproot``; the first of a network is ``default``."""
    scheme: str
    """What is stored with each wallet, such as ``bip86``; unique within a network."""
    path: str
    """The path of index 0."""


Variants = tuple[Variant, ...]


def names(variants: Variants) -> tuple[str, ...]:
    """The names, the default first."""
    return tuple(variant.name for variant in variants)


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
    raise UnknownVariantError(f"The network's schemes are: {', '.join(v.scheme for v in variants)}.")
