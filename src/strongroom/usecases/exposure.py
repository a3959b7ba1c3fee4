"""What leaves the branches of phrases, and what must not leave together.

A branch is the path of keys up to its last hardened element, and all that is below. Its xpub and the private key of any
of its wallets together give away its own private key, and so every key of it (BIP-32, "Security"). Each is written down
before it leaves, under the row lock of the branch; the second one needs the caller's word. Networks share branches:
the chains of the EVM family have the same keys.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import (
    AccountExposedError,
    ContentionError,
    IdentityMismatchError,
    InvalidProjectError,
    StrongroomError,
)
from strongroom.ports.exposure_store import Exposure, Logged
from strongroom.records.key_material import KeyMaterial
from strongroom.records.phrases import AccountRecord, TaggedAccount
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, Event, LogEntry
from strongroom.records.watch_only import BranchRecord, TaggedBranch, branch_of
from strongroom.usecases.context import VaultContext
from strongroom.usecases.events import write_event
from strongroom.usecases.outcome import until_unchanged

_HAS_XPUBS = "secp256k1"
"""The curve on which public keys have children. BIP-32."""


def log_key(
    context: VaultContext, stored: StoredWallet, material: KeyMaterial, entry: LogEntry, *, give_away_account: bool
) -> None:
    """Commit the log row of a private key that leaves; of a phrase's wallet, that it left its branch as well.

    Raises AccountExposedError where the branch's xpub was exported, unless ``give_away_account``: nothing was written.
    """
    wallet = stored.wallet
    phrase_id = wallet.phrase_id or material.phrase_id
    branch = _branch_of_key(context, wallet.network, material)
    if phrase_id is None or branch is None:
        context.store.log.write_log(stored, entry, context.clock())
        return
    _expose_key(context, (wallet.project_id, phrase_id, branch), (stored, entry), give_away_account)


def log_kept_key(
    context: VaultContext,
    of: tuple[UUID | None, UUID | None],
    details: dict[str, str],
    actor: Attribution,
    key: tuple[str, KeyMaterial] | None = None,
    *,
    give_away_account: bool = False,
) -> None:
    """Write an export into the usage log of a wallet, where it is there; else as an event.

    ``of``: the project of the text that leaves, and its wallet. ``key``: the network and the key in it, where it is
    one: of a phrase's wallet it is written that it left its branch, as ``log_key`` does.
    """
    project_id, wallet_id = of
    try:
        stored = None if wallet_id is None else context.store.wallets.get(wallet_id)
    except InvalidProjectError:
        stored = None
    branch = None if key is None else _branch_of_key(context, *key)
    phrase_id = None if key is None else key[1].phrase_id
    if phrase_id is None and key is not None and stored is not None and stored.wallet.path == key[1].path:
        phrase_id = stored.wallet.phrase_id  # the sealed text of a derived wallet need not name it
    if None in (project_id, phrase_id, branch):
        _log_kept(context, stored, wallet_id, details, actor)
        return
    assert project_id is not None and phrase_id is not None and branch is not None  # noqa: S101, PT018 - said above
    wallet = {} if wallet_id is None else {"wallet": str(wallet_id)}
    logged: Logged = Event("export", actor, {**details, **wallet})
    if stored is not None:
        logged = stored, LogEntry("export", actor, details)
    _expose_key(context, (project_id, phrase_id, branch), logged, give_away_account)


def _log_kept(
    context: VaultContext,
    stored: StoredWallet | None,
    wallet_id: UUID | None,
    details: dict[str, str],
    actor: Attribution,
) -> None:
    if stored is not None:
        context.store.log.write_log(stored, LogEntry("export", actor, details), context.clock())
        return
    wallet = {} if wallet_id is None else {"wallet": str(wallet_id)}
    write_event(context.store.rescue, Event("export", actor, {**details, **wallet}), context.clock())


def log_xpub(
    context: VaultContext, account: AccountRecord, path: str, event: Event, *, give_away_account: bool
) -> None:
    """Commit the event of an account's xpub that leaves, and that it left its branch, which has this path.

    Raises AccountExposedError where a private key of the branch was revealed, unless ``give_away_account``.
    """

    def change(old: BranchRecord) -> BranchRecord | None:
        if old.key_revealed and not give_away_account:
            raise AccountExposedError(
                f"A private key below {old.path} of the phrase {old.phrase_id} was revealed: together with it the xpub "
                "gives away every key of that account."
            )
        return None if old.xpub_exported else old._replace(xpub_exported=True, version=old.version + 1)

    _expose(context, (account.project_id, account.phrase_id, path), change, event, account)


def check_branch(context: VaultContext, branch: TaggedBranch) -> BranchRecord:
    """The record of a branch. Raises IdentityMismatchError where its row was changed."""
    record, tag = branch
    if not tags.fits_record("branch", record, tag, context.keyring):
        raise IdentityMismatchError(
            f"The row that says what has left {record.path} of the phrase {record.phrase_id} was changed.",
            hint="Put the row of strongroom_phrase_branch back as it was, from a backup. Where there is none, "
            "`strongroom log` shows exports of the phrase's xpub and of keys; without its row the branch counts as one "
            "that nothing has left.",
            columns=("tag",),
        )
    return record


def _branch_of_key(context: VaultContext, network: str, material: KeyMaterial) -> str | None:
    """The branch that a key is in; None where no xpub derives such keys.

    Whether the key's own network exports xpubs does not matter: any network's xpub of the branch is of the same tree.
    """
    if material.path is None or context.networks.get(network).curve(material.scheme) != _HAS_XPUBS:
        return None
    return branch_of(material.path)


def _expose_key(context: VaultContext, branch: tuple[UUID, UUID, str], logged: Logged, give_away_account: bool) -> None:
    def change(old: BranchRecord) -> BranchRecord | None:
        if old.xpub_exported and not give_away_account:
            raise AccountExposedError(
                f"The xpub of {old.path} of the phrase {old.phrase_id} was exported: together with it this private key "
                "gives away every key of that account."
            )
        return None if old.key_revealed else old._replace(key_revealed=True, version=old.version + 1)

    _expose(context, branch, change, logged)


def _expose(
    context: VaultContext,
    branch: tuple[UUID, UUID, str],
    change: Callable[[BranchRecord], BranchRecord | None],
    logged: Logged,
    account: AccountRecord | None = None,
) -> None:
    """Write that something leaves a branch, under its row lock; ``account`` gets a row where it has none.

    Raises ContentionError, and what ``change`` raises.
    """

    def changed(old: TaggedBranch) -> TaggedBranch | None:
        new = change(check_branch(context, old))
        return None if new is None else _tagged(context, new)

    def attempt() -> bool | None:
        first = _tagged(context, BranchRecord(*branch, xpub_exported=False, key_revealed=False, version=1))
        tag = None if account is None else tags.make("account", account.fields(), context.keyring)
        shown = None if account is None or tag is None else TaggedAccount(account, tag)
        if context.store.exposures.expose(Exposure(first, changed, logged, shown), context.clock()):
            return True
        context.store.run_key_work(context.keyring.refresh)  # another process may have rotated the sealing key
        return None

    contended: StrongroomError = ContentionError("The branch changed several times in a row; nothing was revealed.")
    until_unchanged(attempt, contended)


def _tagged(context: VaultContext, record: BranchRecord) -> TaggedBranch:
    return TaggedBranch(record, tags.make("branch", record.fields(), context.keyring))
