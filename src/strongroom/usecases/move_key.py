"""A key that is stored under a wallet and derives another address: sealed under that one, out of the wallet's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from strongroom.crypto import sealing
from strongroom.errors import (
    AmbiguousWalletError,
    InvalidRequestError,
    KeyConflictError,
    KeyMissingError,
    UnknownNetworkError,
)
from strongroom.ports.rescue import Archived, KeyChoice, ReadText, SeenWallet, TextChanges, TextPasswords
from strongroom.records.identifiers import check_path, check_text
from strongroom.records.key_material import MovedKey
from strongroom.records.stored_wallets import NewWallet, StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.vault_texts import NOT_RECOVERABLE, is_unnamed
from strongroom.records.wallets import Wallet, WalletReference
from strongroom.usecases.addresses import same_address
from strongroom.usecases.context import VaultContext
from strongroom.usecases.create import seal_new
from strongroom.usecases.elsewhere import DerivationBudget, is_elsewhere
from strongroom.usecases.keys_of_others import asking_about
from strongroom.usecases.outcome import until_known, until_unchanged
from strongroom.usecases.ownership import require_accepted
from strongroom.usecases.read import asked_for
from strongroom.usecases.requests import CreateRequest, validate_request
from strongroom.usecases.rescue import kept_locked, newest_first, sealed_aside, stored_whatever
from strongroom.usecases.retired import require_not_retired

_PLACES = ("history", "wallet")


class Move(NamedTuple):
    """Where a key goes, as a person says."""

    to: str
    """``history`` or ``wallet``: where the key goes."""
    label: str | None = None
    """The label of the new wallet."""
    network: str | None = None
    """The network that the key is derived on, where the stored address does not tell."""
    choice: KeyChoice = KeyChoice()
    """Which key of a phrase it is, where the stored address does not tell."""


@dataclass(frozen=True, slots=True)
class _StoredText:
    """A text, and where it is stored: a vault record, or a member of the metadata. Shows nothing of the text."""

    text: str = field(repr=False)
    record: str | None = None
    member: str | None = None


class _Key(NamedTuple):
    """A key of another address, and the text that it is in."""

    read: ReadText
    stored: _StoredText


def move_key(
    context: VaultContext, wallet: WalletReference, move: Move, actor: Attribution, passwords: TextPasswords
) -> MovedKey:
    """Archive, seal, empty and write in one transaction; see Vault.move_key."""
    network = _check(context, move)

    def attempt() -> MovedKey | None:
        stored = stored_whatever(context, wallet)
        require_accepted(context, stored)
        if move.choice.variant is not None:
            context.networks.get(network or stored.wallet.network).scheme(move.choice.variant)
        seen = context.store.rescue.see(stored.wallet.id, stored.wallet.project_id)
        keys = [] if seen is None else list(_keys(context, stored, seen, move, network, passwords))
        if seen is None or seen.crowded or not keys:
            raise _nothing_to_move(stored.wallet)
        _require_members(stored.wallet, keys)
        _require_nobody_elses(context, stored.wallet, keys, for_wallet=move.to == "wallet")
        new = _new_wallet(context, stored, keys, move, actor) if move.to == "wallet" else None
        changes = _changes(context, stored.wallet, keys, new)
        log = LogEntry("move-key", actor, {"to": move.to, "exposed": "true" if _exposed(keys) else "false"})
        if until_known(
            lambda: context.store.rescue.change_texts(stored, seen, changes, log, context.clock()),
            lambda: _is_done(context, stored, changes),
        ):
            addresses = tuple(dict.fromkeys(key.read.address for key in keys))
            return MovedKey(addresses, None if new is None else new.wallet)
        context.keyring.refresh()
        return None

    wallet_id, _ = asked_for(wallet)
    changed = KeyConflictError(f"The rows of {wallet_id} changed several times in a row; nothing was changed.")
    return until_unchanged(attempt, changed)


def require_movable(context: VaultContext, wallet: WalletReference) -> None:
    """Raise what ``move_key`` to the history would, as far as that can be known before. Writes nothing."""
    stored = stored_whatever(context, wallet)
    require_accepted(context, stored)
    seen = context.store.rescue.see(stored.wallet.id, stored.wallet.project_id)
    keys = [] if seen is None else _keys(context, stored, seen, Move(_PLACES[0]), "", TextPasswords())
    if seen is None or seen.crowded or not keys:
        raise _nothing_to_move(stored.wallet)
    _require_members(stored.wallet, keys)
    _require_nobody_elses(context, stored.wallet, keys)
    _changes(context, stored.wallet, keys, None)


def _nothing_to_move(wallet: Wallet) -> KeyMissingError:
    return KeyMissingError(
        f"No text of {wallet.id} holds one readable key of another address alone; nothing was changed.",
        hint="`strongroom doctor` names for each text the command that gets its keys out: one with several keys is "
        "printed whole (`strongroom history reveal RECORD --text --reveal`, of the metadata "
        f"metadata:{wallet.id}/MEMBER for RECORD), an envelope or keystore with its password.",
    )


def _check(context: VaultContext, move: Move) -> str:
    """The canonical name of the network that a person named, or nothing."""
    if move.to not in _PLACES:
        raise InvalidRequestError("A key is moved to history or to a wallet.", hint="Name one of: history, wallet.")
    if (move.label is None) == (move.to == "wallet"):
        raise InvalidRequestError(
            "A wallet of its own needs a label, and an entry of the history has none.",
            hint="Name --to wallet and --label LABEL, or --to history alone.",
        )
    check_path(move.choice.path)
    if move.network is None:
        return ""
    check_text(move.network, UnknownNetworkError)
    return context.networks.get(move.network).name


def _keys(
    context: VaultContext, stored: StoredWallet, seen: SeenWallet, move: Move, network: str, passwords: TextPasswords
) -> list[_Key]:
    """The keys of other addresses that are stored under a wallet. No frame holds a text while one is read."""
    found = []
    named = network or stored.wallet.network
    for each in _texts(seen):
        if not each.text or sealing.is_sealed(each.text):
            continue
        address = stored.wallet.address if named == stored.wallet.network else ""
        read = context.texts.read(each.text, named, address, passwords, move.choice)
        if read.material is not None and not (
            read.network == stored.wallet.network and same_address(context, stored.wallet, read.address)
        ):
            found.append(_Key(read, each))
    return found


def _texts(seen: SeenWallet) -> list[_StoredText]:
    """Every text that is stored under a wallet, those of the vault records first."""
    members = () if seen.credential is None else seen.credential.key_texts
    return [
        *(_StoredText(record.text or "", record=record.id) for record in seen.records),
        *(_StoredText(text, member=name) for name, text in members),
    ]


def _require_members(wallet: Wallet, keys: list[_Key]) -> None:
    """A key that no member of the metadata holds alone is not taken out of them."""
    for key in keys:
        if key.stored.member is not None and is_unnamed(key.stored.member):
            raise KeyConflictError(
                f"The metadata of {wallet.id} hold a key under no name that can be taken out; nothing was changed.",
                hint=f"`strongroom history reveal {_place(wallet, key)} --text --reveal` prints the text; bring its "
                "key with `strongroom wallet import`, take it out of the metadata by hand, and run this again.",
            )


def _require_nobody_elses(context: VaultContext, wallet: Wallet, keys: list[_Key], *, for_wallet: bool = False) -> None:
    """Who copied an envelope here could not read it: the password is the operator's, the key another project's.

    A key in plaintext is known already: to be kept aside it need only be that of no wallet of another project.
    """
    context, budget = asking_about(context, len(keys)), DerivationBudget()
    for key in keys:
        assert key.read.material is not None  # noqa: S101 - it was looked for
        takes = for_wallet or not key.read.in_plaintext
        if is_elsewhere(context, key.read.material, wallet.project_id, budget, takes=takes):
            raise KeyConflictError(
                f"A key that is stored under {wallet.id} is that of another project's wallet or phrase; nothing was "
                "changed.",
                hint=f"`strongroom history restore {wallet.id} --archive-current` puts this wallet's own key in its "
                f"place, where the history has it; `strongroom history reveal {_place(wallet, key)} --text --reveal` "
                "prints the text. Where both projects are to have the key, who holds it takes it in: `strongroom "
                "wallet import`.",
            )


def _place(wallet: Wallet, key: _Key) -> str:
    stored = key.stored
    return f"metadata:{wallet.id}/{stored.member}" if stored.record is None else f"record:{stored.record}"


def _new_wallet(
    context: VaultContext, stored: StoredWallet, keys: list[_Key], move: Move, actor: Attribution
) -> NewWallet:
    """A wallet for the key, proved and sealed, in the same project. Raises ConflictError for a retired wallet's key."""
    if len({(key.read.network, key.read.address) for key in keys}) > 1:
        raise AmbiguousWalletError(
            f"Several keys of other addresses are stored under {stored.wallet.id}; nothing was changed.",
            hint="Move them to the history, and import each from there.",
        )
    read = keys[0].read
    material = read.material
    assert material is not None  # noqa: S101 - it was looked for
    require_not_retired(context, stored.wallet.project_id, material)
    request = CreateRequest(stored.wallet.project_id, read.network, move.label or "", move.choice.variant, 0, None)
    validated = validate_request(context, request, "import", {})
    half = validated.network.public_half(material.private_key, material.scheme)
    return seal_new(
        context, validated, material, half, LogEntry("import", actor, {"moved_from": str(stored.wallet.id)})
    )


def _changes(context: VaultContext, wallet: Wallet, keys: list[_Key], new: NewWallet | None) -> TextChanges:
    archived: list[Archived] = []
    emptied: dict[str, str] = {}
    for key in keys:
        sealed = sealed_aside(context, wallet, key.read)
        archived.append(sealed)
        if not key.read.in_plaintext:
            archived.append(kept_locked(key.stored.text, key.read, wallet))
        if key.stored.record is not None:
            emptied[key.stored.record] = sealed.text
    dropped = tuple(key.stored.member for key in keys if key.stored.member is not None)
    return TextChanges(emptied=emptied, dropped=dropped, archived=tuple(archived), new_wallet=new)


def _exposed(keys: list[_Key]) -> bool:
    return any(key.read.in_plaintext for key in keys)


def _is_done(context: VaultContext, stored: StoredWallet, changes: TextChanges) -> bool:
    """Whether a write whose outcome was lost was committed: what it archived is in the history."""
    archived = {each.text for each in changes.archived}
    for entry in newest_first(context, stored.wallet.id, part_of=stored.wallet.project_id):
        archived.discard(entry.text)
        if not archived:
            break
    seen = context.store.rescue.see(stored.wallet.id, stored.wallet.project_id)
    emptied = seen is not None and all(
        record.text == NOT_RECOVERABLE for record in seen.records if record.id in changes.emptied
    )
    return emptied and not archived
