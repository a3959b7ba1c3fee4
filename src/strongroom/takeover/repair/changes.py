"""From the actions of a unit to what is written: every text sealed, opened again and proved, before anything is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from strongroom.crypto.sealing import is_sealed
from strongroom.errors import KeyMissingError, StrongroomError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.vault_texts import is_unnamed
from strongroom.records.wallets import ENCRYPTION_METHOD, REPLACED, REVOKED, STATUS, Wallet, vault_id_of
from strongroom.store.inspection.inspection_rows import stored_wallet_of
from strongroom.store.repair_changes import HistoryAddition, RelatedRows, WalletChangeSet
from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, LOCKED, KeyTextKind, read
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord
from strongroom.takeover.doctor.other_ids import require_project
from strongroom.takeover.doctor.others_keys import require_own
from strongroom.takeover.doctor.remainders import would_lose
from strongroom.takeover.doctor.text_probes import open_text
from strongroom.takeover.repair import own_keys
from strongroom.takeover.repair.actions import Action
from strongroom.takeover.repair.asked_again import AskedAgain
from strongroom.takeover.repair.kept_whole import REASON, locked_text
from strongroom.takeover.repair.recording import recording_of
from strongroom.takeover.repair.retired_keys import not_retired
from strongroom.takeover.repair.sources import KnownText, sealed_elsewhere, texts_for, unless_refused
from strongroom.takeover.repair.standing import Standing, level_of
from strongroom.takeover.repair.stored_flag import stored_flag
from strongroom.usecases.addresses import with_actual_network
from strongroom.usecases.context import VaultContext
from strongroom.usecases.proof import prove
from strongroom.usecases.retired import require_live_source
from strongroom.usecases.store_key import as_row_says, seal_for


class ChangeBuilder:
    """Works out the changes of one unit. Writes nothing."""

    def __init__(
        self,
        vault_context: VaultContext,
        examination_context: ExaminationContext,
        examined: Examination,
        related: RelatedRows,
    ) -> None:
        assert examined.credential is not None  # noqa: S101 - without one there is nothing to repair
        self._vault_context, self._examination_context = vault_context, examination_context
        self._examined, self._related = examined, related
        self._project = examined.credential.project_id
        if not examination_context.ours:
            require_project(self._project)
        self._stored = with_actual_network(
            vault_context, stored_wallet_of(examined.credential, ours=examination_context.ours)
        )
        self._changes = WalletChangeSet()
        self._sealed_here, self._put_here = list[KeyMaterial](), list[KeyMaterial]()
        self._sealed_in: dict[str | None, KeyMaterial] = {}  # by the record's id; None is an inserted one's
        self._gives_way = False  # to another live wallet of its slot, in the same transaction
        self.asked, self.exposed = AskedAgain(vault_context, examination_context), False
        """Whether a key was in plaintext."""

    @property
    def wallet(self) -> Wallet:
        """The wallet, its network put right."""
        return self._stored.wallet

    def changes(self, actions: Sequence[Action], standing: Standing, holder: StoredWallet | None) -> WalletChangeSet:
        """What is written for these actions, where the wallet's slot names ``holder``.

        Raises StrongroomError where a key does not prove.
        """
        doing = {
            "unlink": self._unlink,
            "seal": self._seal,
            "fill": self._fill,
            "move": self._move,
            "relabel": self._relabel,
            "retire": self._retire,
        }
        self._gives_way = any(action.code == "duplicate-live" for action in actions)
        for action in sorted(actions, key=lambda each: each.code == "foreign-history"):  # after the wallet's own key
            doing[action.do](action)
        self._changes.credential.update(stored_flag(self._examined, self._changes, actions))
        if self._changes:
            known = (self.wallet, self._examined, self._changes, self._sealed_in)
            self._changes.recording = recording_of(self._vault_context, *known, standing, holder)
        return self._changes

    def located(self, action: Action) -> Action | None:
        """A ``fill`` with the one place that its key is taken from; None where it opens nowhere in this project."""
        for found in self._known_texts(action, anywhere=True):
            return replace(action, source_table=found.table, source=found.row)
        return None

    # --- the actions, by name --------------------------------------------------------------------------------

    def _unlink(self, _: Action) -> None:
        self._changes.vault_id = vault_id_of(self.wallet.id, plain=self._vault_context.store.plain_vault_ids)

    def _seal(self, action: Action) -> None:
        if action.code == "foreign-history":
            self._seal_history(action)
            return
        held = self._held(action.row)
        if held.content is None or held.content.material is None:
            return
        text = self._put(held.content.material, held.read.kind)
        self._sealed_in[held.record.id] = self._put_here[-1]
        self.exposed = self.exposed or held.read.kind in IN_PLAINTEXT
        if held.read.kind in LOCKED and held.record.text is not None:
            self._changes.kept.append(locked_text(held.record.text, held.content))
        self._set(held, encrypted_private_key=text, encryption_method=ENCRYPTION_METHOD)

    def _fill(self, action: Action) -> None:
        found = next(self._known_texts(action), None)
        if found is None:
            raise KeyMissingError(
                f"The key of {self.wallet.id} does not open where it was seen; nothing was written.",
                hint="strongroom doctor says where that is; bring the keyring or the password that it needs.",
            )
        self._sealed_in[None if action.code == "missing-vault-record" else action.row] = self._put_here[-1]
        if action.code == "missing-vault-record":
            self._changes.inserted, self._changes.inserted_level = found.text, level_of(self._examined)
            return
        held = self._held(action.row)
        said = held.record.access_level
        level = said if said in (REVOKED, "project_member") else level_of(self._examined)
        self._set(held, encrypted_private_key=found.text, encryption_method=ENCRYPTION_METHOD, access_level=level)

    def _move(self, _: Action) -> None:
        """The key out of the metadata, once a vault record has it."""
        written = any("encrypted_private_key" in columns for columns in self._changes.records.values())
        if not (written or self._changes.inserted or any(held.known for held in self._examined.records)):
            return
        members = [m for m in self._examined.members if m.counts and m.derives and not is_unnamed(m.name)]
        self._changes.dropped = tuple(member.name for member in members)
        for member in members:
            self.exposed = self.exposed or member.read.kind in IN_PLAINTEXT
            if member.read.document is not None:
                self._changes.kept.append(locked_text(member.read.document.reveal_text(), member.content))
            elif member.content is not None and member.content.material is not None:
                self._keep_phrase(member.content.material, known_to_all=member.read.kind in IN_PLAINTEXT)

    def _keep_phrase(self, material: KeyMaterial, *, known_to_all: bool) -> None:
        """A phrase says more than the key that is in the record: the history keeps it, sealed."""
        if material.mnemonic is not None and not any(sealed is material for sealed in self._sealed_here):
            self._sealed(material, known_to_all=known_to_all)

    def _relabel(self, action: Action) -> None:
        if action.code == "wrong-label":
            self._set(self._held(action.row), encryption_method=ENCRYPTION_METHOD)
        elif action.code == "identity-changed":
            self._restore_identity(self._held(action.row))

    def _retire(self, action: Action) -> None:
        if action.code == "duplicate-live":
            assert action.source is not None  # noqa: S101 - the caller looked at it
            target = self._examined.target
            network = self.wallet.network if target is None else target.network.name
            self._changes.slot = (network, self.wallet.label, UUID(action.source))
            self._changes.credential.update(is_active=False, status=REPLACED)
            return
        self._set(self._held(action.row), access_level=REVOKED, revoked_at=self._vault_context.clock())

    # --- how -------------------------------------------------------------------------------------------------

    def _seal_history(self, action: Action) -> None:
        kept = self._related.history.get(action.row)
        if kept is None or kept.project_id != self._project:
            return
        found = self._examination_context.derivation.reading(read(kept.text), self._examined.target)
        content = open_text(self._examination_context, self._examined, found)[0]
        if content is None or content.material is None:
            return
        if would_lose(self._examination_context.derivation, found, content):
            return
        in_plaintext = found.kind in IN_PLAINTEXT
        if self._put_here or own_keys.is_proved(self._vault_context, self.wallet.id):
            text = self._sealed(content.material, keep=False, known_to_all=in_plaintext)
        else:
            self._ask_whose(content.material, known_to_all=in_plaintext)
            text = own_keys.aside_entry(self._vault_context, self.wallet, self._examined.target, content.material)
        self._changes.sealed_history[kept.id] = text
        self.exposed = self.exposed or in_plaintext
        if found.kind in LOCKED:
            self._changes.kept.append(locked_text(kept.text, content))

    def _known_texts(self, action: Action, *, anywhere: bool = False) -> Iterator[KnownText]:
        """Sealed texts with the wallet's key: from where the action says, or from anywhere in the wallet's project.

        Of several that are looked for, one that is refused hides no other: it is told where none is found.
        """
        refused: list[StrongroomError] = []
        keep = refused if anywhere else None
        for member in self._examined.members if anywhere or action.source_table is None else ():
            material = None if member.content is None else member.content.material
            put = None if material is None else partial(self._put, material, member.read.kind)
            if put is not None and (text := unless_refused(put, keep)) is not None:
                yield KnownText(text)
        wallet_id, context = str(self.wallet.id), self._examination_context
        for place in texts_for(context, self._related, action, wallet_id, anywhere=anywhere):
            found = unless_refused(partial(self._from, place.text, place.project_id), keep)
            if found is not None:
                yield KnownText(found, place.table, place.row)
        if refused:
            raise refused[0]

    def _from(self, text: str, project_id: str | None) -> str | None:
        """A text from elsewhere, as it would be in this wallet's record; None where it is not its own key."""
        if project_id is None or project_id != self._project:
            return None
        if not is_sealed(text):
            found = self._examination_context.derivation.reading(read(text), self._examined.target)
            content = open_text(self._examination_context, self._examined, found)[0]
            if content is None or content.material is None:
                return None
            return self._put(content.material, found.kind, taken=True)
        try:
            own = prove(self._vault_context, replace(self._stored, sealed_text=text))
        except StrongroomError:
            elsewhere = sealed_elsewhere(self._examination_context, text, project_id, self._examined.target)
            if elsewhere is None:
                return None
            if elsewhere.source != self.wallet.id:
                may = REPLACED if self._gives_way else STATUS
                require_live_source(self._vault_context, self.wallet.id, elsewhere.source, may)
            return self._put(elsewhere.material, None, taken=True)
        own_keys.require_recorded(self._vault_context, self._stored)
        self._ask_whether_retired(own, taken=False)
        self._put_here.append(own)
        self._changes.kept.append(HistoryAddition(text, "sealed", REASON))
        return text

    def _put(self, material: KeyMaterial, kind: KeyTextKind | None, *, taken: bool = False) -> str:
        """Seal a key for the wallet's record; in rows of ours the public half says what the key proves.

        ``kind``: of the text that it was read from; None: sealed for another wallet, or kept aside."""
        if kind is KeyTextKind.SEALED:
            own_keys.require_recorded(self._vault_context, self._stored)
        self._ask_whether_retired(material, taken=taken)
        text = self._sealed(material, known_to_all=kind in IN_PLAINTEXT)
        self._put_here.append(as_row_says(self.wallet, material))
        before, self._stored = self.wallet, self._as_proved(as_row_says(self.wallet, material))
        wallet = self.wallet
        self._changes.credential.update(own_keys.other_columns(before, wallet))
        if wallet.scheme is not None and (before.scheme, before.path) != (wallet.scheme, wallet.path):
            self._changes.derivation = (wallet.scheme, wallet.path)
        return text

    def _ask_whether_retired(self, material: KeyMaterial, *, taken: bool) -> None:
        self.asked.ask(not_retired(self._examined, self.wallet, material, taken=taken, gives_way=self._gives_way))

    def _as_proved(self, material: KeyMaterial) -> StoredWallet:
        """The wallet with the public half that a key proves; legacy rows keep their own spelling."""
        target, wallet = self._examined.target, self.wallet
        if target is None or not (self._examination_context.ours or wallet.scheme is not None):
            return self._stored
        if self._examination_context.ours:
            wallet = replace(wallet, network=target.network.name, address=target.address)
        half = target.network.public_half(material.private_key, material.scheme)
        facts = replace(wallet, public_key=half.public_key, scheme=material.scheme, path=material.path)
        return replace(self._stored, wallet=facts)

    def _sealed(self, material: KeyMaterial, *, keep: bool = True, known_to_all: bool = False) -> str:
        """Seal a key for this wallet, prove it, and let the history keep it.

        ``known_to_all``: anyone who could copy it could read it. Raises ConflictError for another project's.
        """
        self._ask_whose(material, known_to_all=known_to_all)
        self._sealed_here.append(material)
        material = as_row_says(self.wallet, material)
        text, _ = seal_for(self._vault_context, self._as_proved(material), material)
        if keep:
            self._changes.kept.append(HistoryAddition(text, "sealed", REASON))
        return text

    def _ask_whose(self, material: KeyMaterial, *, known_to_all: bool) -> None:
        if not known_to_all:
            owner = (self.wallet.id, self.wallet.project_id, material)
            self.asked.ask(lambda vault, examination: require_own(vault, examination, *owner))

    def _restore_identity(self, held: ExaminedRecord) -> None:
        """The public half, as the sealed text proves it."""
        own = self._examination_context.ours or self.wallet.scheme is not None  # we wrote the public half
        columns, derivation = own_keys.proved_identity(held, self._project, with_public_key=own)
        if columns and held.record.text is not None:
            self._changes.kept.append(HistoryAddition(held.sealed_text, "sealed", REASON))
        self._changes.credential.update(columns)
        self._changes.derivation = derivation or self._changes.derivation

    def _set(self, held: ExaminedRecord, **columns: Any) -> None:
        self._changes.records.setdefault(held.record.id, {}).update(columns)

    def _held(self, row: str) -> ExaminedRecord:
        return next(held for held in self._examined.records if held.record.id == row)
