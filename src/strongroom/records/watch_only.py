"""Accounts of phrases that others watch: an account's xpub, what has left a branch, and addresses that are in use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from uuid import UUID

from strongroom.records.register import Fields
from strongroom.records.tag import Tag
from strongroom.records.wallets import Created


@dataclass(frozen=True, slots=True, repr=False)
class WatchedBranch:
    """The public key of a branch in the tree of a phrase, as wallets that watch addresses take it. Prints no key."""

    path: str
    """Where the branch is: the template up to its last hardened element, such as ``m/84'/0'/0'``."""
    xpub: str
    """The extended public key of BIP-32: ``xpub``, on a testnet of Bitcoin ``tpub``."""
    slip132: str | None
    """The same with the version bytes of SLIP-132, such as ``zpub``; None where they have none for the variant."""
    descriptor: str | None
    """The output descriptor of the addresses, with key origin and checksum (BIP-380); None where there is none."""

    def __repr__(self) -> str:
        return f"<WatchedBranch {self.path}>"


@dataclass(frozen=True, slots=True, repr=False)
class AccountXpub:
    """What ``export_xpub`` returns: from it every address of the account follows, and no key. Prints no key.

    Together with the private key of any of those addresses it gives away every private key of the account.
    """

    project_id: UUID
    phrase_id: UUID
    network: str
    variant: str
    template: str
    """The path of the keys with ``{index}`` in the place of the index, such as ``m/84'/0'/0'/0/{index}``."""
    path: str
    """Where the xpub is: the template up to its last hardened element, such as ``m/84'/0'/0'``."""
    fingerprint: str
    """Of the phrase's master key, 8 hexadecimal digits. BIP-32."""
    xpub: str
    """The extended public key of BIP-32: ``xpub``, on a testnet of Bitcoin ``tpub``."""
    slip132: str | None
    """The same with the version bytes of SLIP-132, such as ``zpub``; None where they have none for the variant."""
    descriptor: str | None
    """Of Bitcoin: the output descriptor of the addresses, with key origin and checksum (BIP-380)."""

    def as_dict(self) -> dict[str, Any]:
        """The export as JSON-ready values: UUIDs as text."""
        return {**asdict(self), "project_id": str(self.project_id), "phrase_id": str(self.phrase_id)}

    def __repr__(self) -> str:
        return f"<AccountXpub {self.network} {self.variant} {self.path}>"


@dataclass(frozen=True, slots=True)
class DiscoveredWallets:
    """What ``discover`` returns: which addresses of a phrase are in use, and the wallets that were made of them."""

    used: tuple[int, ...]
    """The indices whose addresses are in use."""
    asked: int
    """How many addresses were asked about, from index 0 on."""
    next_index: int
    """The index that the account's next wallet takes."""
    wallets: tuple[Created, ...]
    """The wallets that this call made, of all indices up to the highest that is in use; those that were there are not
    among them."""

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON-ready values."""
        wallets = [each.wallet.as_dict() for each in self.wallets]
        return {"used": list(self.used), "asked": self.asked, "next_index": self.next_index, "wallets": wallets}


def branch_of(path: str) -> str:
    """A path, or the template of one, up to its last hardened element: what is below follows from its public key."""
    elements = path.split("/")
    last = max(place for place, element in enumerate(elements) if not place or element.endswith("'"))
    return "/".join(elements[: last + 1])


class BranchRecord(NamedTuple):
    """What has left a branch of a phrase: the path up to its last hardened element, and all that is below."""

    project_id: UUID
    phrase_id: UUID
    path: str
    """Such as ``m/44'/60'/0'``. Networks share it: chains of the EVM family have the same keys."""
    xpub_exported: bool
    key_revealed: bool
    """Whether the private key of a wallet of this branch was revealed."""
    version: int

    @property
    def credential_id(self) -> UUID:
        """The id that messages name."""
        return self.phrase_id

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        project_id, phrase_id, path, *left, version = self
        return project_id.hex, phrase_id.hex, path, *("true" if each else "false" for each in left), str(version)


class TaggedBranch(NamedTuple):
    """A branch as it was read."""

    record: BranchRecord
    tag: Tag
