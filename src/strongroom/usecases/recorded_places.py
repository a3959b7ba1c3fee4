"""At which derivation paths projects have wallets, as the register says: there the keys of a phrase are compared.

A record that says a path and was changed hides the one that it had. So nothing is told from the others then, but for
the record's own project. Wallets that took an index of a project's phrase are left out where that opened: phrases
themselves are compared then, and there is no end to the indices of one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import KeyConflictError
from strongroom.ports.network import Network
from strongroom.records.conventions import DerivationPath
from strongroom.records.register import UNPROVED, Registered, Registration
from strongroom.usecases.context import VaultContext

MOST_RECORDED = 10_000
"""Paths of other projects' wallets at which the keys of a phrase are compared."""
_MOST_READ = 50 * MOST_RECORDED
"""Paths that are remembered, the asking project's own among them."""

RecordedPath = tuple[Network, DerivationPath]


class RecordedPlaces:
    """The paths of all projects' records, read at once. Raises StoreError where they cannot be.

    ``phrases``: project and id of each phrase that the caller compares with.
    """

    def __init__(self, context: VaultContext, phrases: Collection[tuple[UUID, UUID]]) -> None:
        self._context, self._phrases = context, phrases
        self._places: dict[tuple[str, str, str], UUID | None] = {}
        """Network, scheme and path, and whose wallets are there: None where those of several projects are."""
        self._untold: dict[UUID, Registration] = {}
        """A record of each project, of two at most, that does not say where its wallet is."""
        for page in context.store.register.stream_with_paths():
            for registered in page:
                self._add(registered)

    def of_others(self, project_id: UUID) -> list[RecordedPath]:
        """Where other projects have wallets.

        Raises KeyConflictError where those are more than are tried, or a record does not say where its wallet is.
        """
        for owner, record in self._untold.items():
            if owner != project_id:
                raise _untold(record)
        found = [place for place, owner in self._places.items() if owner != project_id]
        if len(found) > MOST_RECORDED or len(self._places) > _MOST_READ:
            raise too_many()
        networks = self._context.networks
        return [(networks.get(name), DerivationPath(scheme, path)) for name, scheme, path in found]

    def _add(self, registered: Registered) -> None:
        record, tag = registered
        owner, schemes = record.project_id, list(self._schemes(record))
        whole = tags.fits_record("wallet", record, tag, self._context.keyring)
        if not whole or (not schemes and record.variant != UNPROVED):
            if len(self._untold) < 2:
                self._untold.setdefault(owner, record)
            return
        if (owner, record.phrase_id) in self._phrases:
            return
        for scheme in schemes:
            place = (record.network, scheme, record.path or "")
            if place in self._places:
                self._places[place] = owner if self._places[place] == owner else None
            elif len(self._places) <= _MOST_READ:
                self._places[place] = owner

    def _schemes(self, record: Registration) -> Iterator[str]:
        """The schemes that a wallet's key may be derived by; none where strongroom has no such network or scheme."""
        if record.network in self._context.networks:
            network = self._context.networks.get(record.network)
            yield from (each for each in network.schemes if record.scheme in (None, each))


def too_many() -> KeyConflictError:
    """The error for more paths than are tried."""
    return KeyConflictError(
        "Other projects have wallets at more derivation paths than are tried: whether this phrase is one of theirs "
        "is not known; nothing was changed.",
        hint="Who holds the phrase takes it in where it belongs: `strongroom wallet import`.",
    )


def _untold(record: Registration) -> KeyConflictError:
    wallet_id = record.credential_id
    return KeyConflictError(
        f"The record of {wallet_id} in the register, of another project, was changed, or is of a network or scheme "
        "that this version does not have: whether this phrase is that wallet's is not known; nothing was changed.",
        hint=f"`strongroom doctor` names what was changed: `strongroom upgrade --accept {wallet_id}` writes that "
        "record anew; one that strongroom did not write is removed from strongroom_wallet.",
    )
