"""Which command gets the key of a sealed text out, wherever the text is stored: one that does not refuse."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import KeyConflictError, StrongroomError
from strongroom.records.stored_wallets import StoredWallet
from strongroom.store.inspection.inspection import Inspection
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.notes import Examination
from strongroom.takeover.doctor.remembered_ids import FirstIds, IdFilter
from strongroom.usecases.context import VaultContext
from strongroom.usecases.read import get_stored
from strongroom.usecases.register import recorded
from strongroom.usecases.remake import possible, proof_of
from strongroom.usecases.rescue import opens
from strongroom.usecases.row_comparison import wallet_of
from strongroom.usecases.strays import strays_of


class WaysOut:
    """Asks what the verbs would ask, and writes nothing."""

    def __init__(self, inspection: Inspection, vault_context: VaultContext) -> None:
        self._inspection, self._vault_context = inspection, vault_context
        self._misplaced = IdFilter()
        """Wallets of which a sealed text is stored under another one: of the few others the database is asked, too."""
        self._in_metadata: dict[str, str] = {}
        self._has_history = False

    def of_text(self, wallet_id: str, place: str, *, own: bool) -> tuple[str, str]:
        """The command for a sealed text that opens, and why it is not another one; ``own``: stored as its wallet's."""
        alone = commands.reveal(place) if own else commands.reveal_of(place, wallet_id)
        try:
            stored = self._vault_context.store.wallets.get(UUID(wallet_id))
            if stored is None:
                return self._of_gone(UUID(wallet_id), alone)
        except (StrongroomError, ValueError):
            return alone, ""
        return (commands.export(wallet_id), "its wallet is there") if self.exports(wallet_id) else (alone, "")

    def exports(self, wallet_id: str) -> bool:
        """Whether a wallet's own verb gives its key out."""
        try:
            stored = get_stored(self._vault_context, UUID(wallet_id))
            return opens(self._vault_context, stored, stored.sealed_text or "") is not None
        except (StrongroomError, ValueError):
            return False

    def saw(self, examined: Examination) -> None:
        """Remember which wallets the sealed texts are of that are stored in another one's vault record."""
        for held in examined.records:
            if held.header is not None and held.header.credential_id != held.record.credential_id:
                self._misplaced.add(held.header.credential_id)
        credential = examined.credential
        for name, text in () if credential is None else credential.key_texts:
            header = sealed_texts.sealed_header(text) if sealing.is_sealed(text) else None
            if credential is not None and header is not None and header.credential_id != credential.id:
                keys, networks = self._vault_context.keyring, self._vault_context.networks
                if sealed_texts.open_with_header(text, header, keys, networks).derives:
                    self._in_metadata[header.credential_id] = f"{commands.in_metadata(credential.id)}/{name}"

    def in_metadata(self, wallet_id: str) -> str:
        """The command for a text of a wallet that is in the metadata of another one; empty where none was seen."""
        place = self._in_metadata.get(wallet_id)
        return "" if place is None else commands.reveal_of(place, wallet_id)

    def is_elsewhere(self, wallet_id: str, *, whole: bool = True) -> bool:
        """Whether a text of a wallet that opens is stored under another one; ``whole``: every record was seen."""
        if whole and wallet_id not in self._all_misplaced():
            return False
        wallet, known = UUID(wallet_id), recorded(self._vault_context, UUID(wallet_id))
        stored = self._vault_context.store.wallets.get(wallet)
        if stored is None and known is not None:
            made = wallet_of(known.record)
            stored = StoredWallet(made, None, made.network, registered=known)
        if stored is None:
            return False
        strays = strays_of(self._vault_context, wallet, stored.wallet.project_id)
        return any(opens(self._vault_context, stored, stray.text) is not None for stray in strays)

    def _all_misplaced(self) -> IdFilter:
        """With those of the history, which is read once, if anything asks."""
        if not self._has_history:
            self._has_history = True
            for _, wallet_id, text in self._inspection.sealed_beginnings(of_others=False):
                named = sealing.wallet_in(text)
                if named not in (None, wallet_id):
                    self._misplaced.add(str(named))
        return self._misplaced

    def of_nobody(self) -> Iterator[tuple[str, str]]:
        """Entries with a text of another wallet, which is gone and has no record, and that wallet's id."""
        told = FirstIds()
        for entry_id, wallet_id, text in self._inspection.sealed_beginnings(of_others=True):
            named = sealing.wallet_in(text)
            if named is None or named == wallet_id or not told.add(named):
                continue
            gone = self._vault_context.store.wallets.get(UUID(named)) is None
            if gone and recorded(self._vault_context, UUID(named)) is None:
                yield entry_id, named

    def of_gone(self, wallet_id: str, place: str) -> tuple[str, str]:
        """The command for a wallet whose rows are gone, of which a text in its own history opens."""
        return self._of_gone(UUID(wallet_id), commands.reveal(place))

    def _of_gone(self, wallet_id: UUID, alone: str) -> tuple[str, str]:
        known = recorded(self._vault_context, wallet_id)
        if known is None:
            return alone, "the register has no record of such a wallet: its key can be revealed"
        restore = commands.restore(str(wallet_id))
        if self._inspection.lacks_project(str(known.record.project_id)):
            return alone, f"its project's row is gone, too: with that, `{restore}` works"
        try:
            remade = possible(self._vault_context, known, proof_of(self._vault_context, known))
        except KeyConflictError:
            return commands.archive(str(wallet_id)), "another text is in a vault record of it, and is kept then"
        except StrongroomError as error:
            return alone, f"its rows cannot be made anew: {error.message}"
        if self._is_vault_id_taken(wallet_of(known.record).vault_id, remade.wallet.id):
            return alone, "its rows cannot be made anew: its vault id is another wallet's"
        return restore, ""

    def _is_vault_id_taken(self, vault_id: str, wallet_id: UUID) -> bool:
        """Whether making the rows anew would meet a vault id that is there; an own record's stays as it is."""
        rescue = self._vault_context.store.rescue
        return rescue.has_vault_id(vault_id) and not rescue.orphaned_texts(wallet_id)
