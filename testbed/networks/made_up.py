"""A network that is none: two keys an address, no phrase, and addresses that look like Solana's."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE, NetworkTable
from strongroom.networks.codecs import base58, key_text
from strongroom.networks.curves import ed25519
from strongroom.networks.variants import DEFAULT, Variant, find, of_scheme
from strongroom.records.address_space import AddressSpace
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.secret import Secret

_SPACE = AddressSpace("pairwise", "[1-9A-HJ-NP-Za-km-z]{32,44}")
_VARIANTS = (Variant(DEFAULT, "pair", None, "ed25519"),)
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Who spends and who stakes: two Ed25519 keys. The address is the hash of both, 32 bytes in base58."""

    name: str = "pairwise"
    caip2: str = "pairwise:1"
    variants: tuple[str, ...] = ("default",)
    imported_variants: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("pair",)
    conventions: Conventions = ()
    address_space: AddressSpace = _SPACE
    coin_type: int = 9999
    explorer: str | None = None
    key_shape: str = ""
    key_forms: tuple[str, ...] = ("128 hexadecimal digits",)

    def curve(self, scheme: str) -> str:
        return of_scheme(_VARIANTS, scheme).curve

    def scheme(self, variant: str | None) -> str:
        return find(_VARIANTS, variant).scheme

    def schemes_of(self, address: str) -> tuple[str, ...]:
        return self.schemes

    def path(self, scheme: str, index: int = 0) -> str | None:
        return of_scheme(_VARIANTS, scheme).path

    def new_material(self, scheme: str, words: int, random_bytes: Callable[[int], bytes] = os.urandom) -> KeyMaterial:
        return KeyMaterial(Secret(random_bytes(2 * _SEED_BYTES)), of_scheme(_VARIANTS, scheme).scheme)

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        raise InvalidPathError("Keys of this network come from no phrase.")

    def parse_private_key(self, text: Secret) -> Secret:
        keys = key_text.from_hex(text, 2 * _SEED_BYTES)
        if keys is None:
            raise InvalidPrivateKeyError("The private key is not 128 hexadecimal digits.")
        return keys

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        return scheme or "pair"

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        return Secret.from_text(private_key.reveal().hex())

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        of_scheme(_VARIANTS, scheme)
        spending = ed25519.public_key(private_key.reveal()[:_SEED_BYTES])
        staking = ed25519.public_key(private_key.reveal()[_SEED_BYTES:])
        if spending is None or staking is None:
            raise InvalidPrivateKeyError("The private key is not two keys of 32 bytes.")
        return PublicHalf.of((spending, staking), base58.encode(hashlib.sha256(spending + staking).digest()))

    def parse_address(self, text: str) -> str:
        data = base58.decode(text)
        if data is None or len(data) != 32:
            raise InvalidAddressError("The address is not 32 bytes in base58.")
        return text


PAIRWISE = Pairwise()
WITH_PAIRWISE = NetworkTable((*TABLE, PAIRWISE))
PAIR = bytes(range(64)).hex()
PAIR_ADDRESS = PAIRWISE.public_half(Secret(bytes(range(64))), "pair").address


@contextmanager
def made_up_network() -> Iterator[None]:
    """Meanwhile every module of strongroom that names the table of networks has one with this network in it."""
    with ExitStack() as patches:
        for name, module in list(sys.modules.items()):
            if name.startswith("strongroom.") and getattr(module, "TABLE", None) is TABLE:
                patches.enter_context(mock.patch.object(module, "TABLE", WITH_PAIRWISE))
        yield
