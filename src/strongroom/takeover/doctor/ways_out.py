"""Which command gets the key of a sealed text out, wherever the text is stored: one that does not refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple
from uuid import UUID

from strongroom.crypto.sealed_headers import first_header
from strongroom.errors import KeyConflictError, StrongroomError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import Registered
from strongroom.records.stored_wallets import StoredWallet
from strongroom.store.inspection.inspection import Inspection
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.phrase_offers import PhraseOffers
from strongroom.takeover.doctor.phrase_state import PhraseState
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.spool import Offer
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import require_accepted
from strongroom.usecases.phrase_reading import OpenedPhrases, derived
from strongroom.usecases.read import get_stored
from strongroom.usecases.register import recorded
from strongroom.usecases.remake import possible, proof_of
from strongroom.usecases.rescue import opens, stored_whatever
from strongroom.usecases.row_comparison import wallet_of
from strongroom.usecases.store_key import seal_for
from strongroom.usecases.stray_phrases import StrayPhrases
from strongroom.usecases.strays import strays_of


class PhraseWay(NamedTuple):
    """How a phrase of the vault gives the key of a wallet."""

    told: str
    command: str
    """What derives the key, or what brings the phrase itself back first; empty where people have to."""


class WaysOut:
    """Asks what the verbs would ask, and writes nothing."""

    def __init__(
        self, inspection: Inspection, vault_context: VaultContext, strays: StrayPhrases, offers: PhraseOffers
    ) -> None:
        self._inspection, self._vault_context = inspection, vault_context
        self._strays, self._offers = strays, offers
        self._phrases: OpenedPhrases | Literal[False] | None = None
        """False where the vault has no phrase; None where nobody looked yet."""

    def of_phrase(self, wallet_id: str) -> PhraseWay | None:
        """How a phrase derives the key of a wallet, as its record says; None where none does."""
        try:
            if self._phrases is None:
                phrases = self._vault_context.store.phrases
                any_phrase = any(next(pages, ()) for pages in (phrases.stream(), phrases.stream_lost()))
                self._phrases = OpenedPhrases(self._vault_context) if any_phrase else False
            known = recorded(self._vault_context, UUID(wallet_id)) if self._phrases else None
            if known is None or not self._phrases:
                return None
            found = self._phrases.derive(known.record)
            if found is not None:
                words = commands.export_phrase(found.phrase_id, known.record.project_id)
                command, why = self._sealed_again(known, found, words)
                told = f"the phrase {found.phrase_id} of its project derives its key"
                return PhraseWay(f"{told}; {why}" if why else told, command)
            return self._of_broken_phrase(known)
        except (StrongroomError, ValueError):
            return None

    def _sealed_again(self, known: Registered, material: KeyMaterial, words: str) -> tuple[str, str]:
        """What seals a key again that a phrase has, and why that is not ``restore``; ``words``: what prints those."""
        wallet_id = known.record.credential_id
        if self._vault_context.store.wallets.get(wallet_id) is None:
            return self._made_anew(known, "", words)
        try:
            stored = stored_whatever(self._vault_context, wallet_id)
            require_accepted(self._vault_context, stored)
            seal_for(self._vault_context, stored, material)
        except StrongroomError as error:
            return words, f"`{commands.restore(str(wallet_id))}` is refused: {error.message}"
        return commands.restore(str(wallet_id)), ""

    def _of_broken_phrase(self, known: Registered) -> PhraseWay | None:
        """The same where the row of its phrase does not give it, and a text of the phrase opens."""
        record = known.record
        if record.phrase_id is None:
            return None
        row = PhraseState.read(self._vault_context, record.project_id, record.phrase_id, self._strays).row
        found = self._offers.not_given(row)
        material = None if found is None else derived(self._vault_context, found[0], record)
        if found is None or material is None:
            return None
        words = commands.export_phrase(record.phrase_id, record.project_id)
        command, why = self._sealed_again(known, material, words)
        told = (
            f"a text of the phrase {record.phrase_id} of its project derives its key: the finding phrase-broken says "
            f"what brings the phrase back, and then `{command}` the key{'; ' if why else ''}{why}"
        )
        return PhraseWay(told, found[1])

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

    def put_back(self, finding: Finding, offer: Offer) -> Offer | None:
        """What puts a sealed text back that is stored elsewhere, where a finding misses it; None where nothing does."""
        try:
            wallet_id = UUID(offer.wallet_id or "")
            if finding.code == "wallet-rows-gone":
                known = recorded(self._vault_context, wallet_id)
                return None if known is None else self._of_stray(known, offer)
            stored = stored_whatever(self._vault_context, str(wallet_id))
            if stored.registered is None and not self._vault_context.keyring.accepts_untagged:
                return None  # it lost its record, and `restore` refuses it
            if opens(self._vault_context, stored, offer.text) is None:
                return None
        except (StrongroomError, ValueError):
            return None
        keyless = finding.code in commands.KEYLESS
        return offer._replace(command=(commands.restore if keyless else commands.archive)(str(wallet_id)))

    def project_of_gone(self, wallet_id: str) -> str | None:
        """The project of a wallet whose rows are gone, as its record says; None where there is none."""
        try:
            known = recorded(self._vault_context, UUID(wallet_id))
        except (StrongroomError, ValueError):
            return None
        return None if known is None else str(known.record.project_id)

    def stray(self, known: Registered) -> Offer | None:
        """A sealed text of a wallet whose rows are gone, which no row that was looked at has."""
        record = known.record
        for stray in strays_of(self._vault_context, record.credential_id, record.project_id):
            command = commands.reveal_of(stray.place, str(record.credential_id))
            offer = Offer((), str(record.credential_id), stray.told, command, stray.text)
            if (found := self._of_stray(known, offer)) is not None:
                return found
        return None

    def _of_stray(self, known: Registered, offer: Offer) -> Offer | None:
        """A sealed text of a wallet whose rows are gone, with the command for it; None where it is another key."""
        wallet = wallet_of(known.record)
        stored = StoredWallet(wallet, None, wallet.network, registered=known)
        if opens(self._vault_context, stored, offer.text) is None:
            return None
        command, why = self._made_anew(known, offer.text, offer.command)
        return offer._replace(command=command, told=f"{offer.told}; {why}" if why else offer.told)

    def of_nobody(self) -> Iterator[tuple[str, str]]:
        """Entries with a text of another wallet, which is gone and has no record, and that wallet's id."""
        told = FirstIds()
        for entry_id, wallet_id, text, _ in self._inspection.sealed_beginnings(of_others=True):
            header = first_header(text)
            named = None if header is None else header.wallet_id
            if named is None or str(named) == wallet_id or not told.add(str(named)):
                continue
            gone = self._vault_context.store.wallets.get(named) is None
            if gone and recorded(self._vault_context, named) is None:
                yield entry_id, str(named)

    def of_gone(self, wallet_id: str, place: str) -> tuple[str, str]:
        """The command for a wallet whose rows are gone, of which a text in its own history opens."""
        return self._of_gone(UUID(wallet_id), commands.reveal(place))

    def _of_gone(self, wallet_id: UUID, alone: str) -> tuple[str, str]:
        known = recorded(self._vault_context, wallet_id)
        if known is None:
            return alone, "the register has no record of such a wallet: its key can be revealed"
        try:
            return self._made_anew(known, proof_of(self._vault_context, known), alone)
        except StrongroomError as error:
            return alone, f"its rows cannot be made anew: {error.message}"

    def _made_anew(self, known: Registered, text: str, alone: str) -> tuple[str, str]:
        wallet_id = known.record.credential_id
        restore = commands.restore(str(wallet_id))
        if self._inspection.lacks_project(str(known.record.project_id)):
            return alone, f"its project's row is gone, too: with that, `{restore}` works"
        try:
            remade = possible(self._vault_context, known, text)
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
