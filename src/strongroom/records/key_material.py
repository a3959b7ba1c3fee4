"""Plaintext keys, wrapped in Secret, and what they derive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from strongroom.records.wallets import Wallet
from strongroom.secret import Secret


@dataclass(frozen=True, slots=True)
class Revealed:
    """The plaintext of a wallet, as ``reveal`` returns it; each part still asks for ``reveal_text()``."""

    private_key: Secret
    """The private key in the text form of its network."""
    mnemonic: Secret | None
    """The BIP-39 phrase, where there is one."""
    passphrase: Secret | None
    """The BIP-39 passphrase, where one was imported; the phrase alone does not restore the wallet then."""
    path: str | None
    """The derivation path, ``m/44'/...``; None where the key was not derived from a phrase."""
    scheme: str
    """The derivation scheme, such as ``bip44`` or ``raw``."""


class KeptKey(NamedTuple):
    """A kept key, as ``reveal_kept`` returns it."""

    network: str
    address: str
    """The address that the key derives."""
    revealed: Revealed
    project_id: UUID | None = None
    """Of a sealed text what its header says; of any other what its row says; None where that says none."""
    wallet_id: UUID | None = None
    """The wallet that the text was sealed for, or that its row belongs to."""
    holds_more: bool = False
    """Whether another key or secret is in the same text: ``reveal_kept_text`` gives all of it out."""


class RevealedText(NamedTuple):
    """A kept text as it is, as ``reveal_kept_text`` returns it."""

    text: Secret
    network: str
    address: str
    """What is said of the wallet that it was kept for; a text that is not sealed proves neither."""
    project_id: UUID | None = None
    wallet_id: UUID | None = None
    part: int = 1
    """Which part of a long text it is; each part is an entry of the history."""
    parts: int = 1


class MovedKey(NamedTuple):
    """Where ``move_key`` put the keys of a text."""

    addresses: tuple[str, ...]
    """The addresses that the moved keys derive."""
    wallet: Wallet | None
    """The wallet that was made for the key; None where it went into the history."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a sealed text is bound to: the row that it is stored in."""

    project_id: UUID
    credential_id: UUID
    network: str
    address: str


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The plaintext payload of a sealed text."""

    private_key: Secret
    """The raw private key as the network takes it: 32 bytes, unless the scheme has others (16 of a family seed);
    several keys one after another where it has several."""
    scheme: str
    path: str | None = None
    mnemonic: Secret | None = None
    passphrase: Secret | None = None
    phrase_id: UUID | None = None
    """The phrase of the project that it was derived from, which is sealed in a row of its own."""
    phrase_index: int | None = None
    """Which of that phrase's keys it is, at ``path``."""
    phrase_place: int | None = None
    """Which element of ``path`` is that index, counted from ``m``, which is 0: it tells accounts that meet in the path
    apart. None where nobody said it."""


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What a private key shows to the world: its public key and its address."""

    public_key: str
    """Hexadecimal digits. Where an address is made of several keys: all of them one after another, as ``of`` writes."""
    address: str

    @classmethod
    def of(cls, public_keys: Sequence[bytes], address: str) -> PublicHalf:
        """Make one of the public keys that an address is made of, the one that signs transactions first."""
        return cls(b"".join(public_keys).hex(), address)
