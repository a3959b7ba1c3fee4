"""Prove stored wallets, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from strongroom.errors import InvalidProjectError, InvalidWalletIdError, StoreError, StrongroomError
from strongroom.records.identifiers import check_project_id
from strongroom.records.results import ACROSS_PROJECTS, SHARED_KEY, VerifyResult
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import WalletReference
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_reading import OpenedPhrases
from strongroom.usecases.proof import prove, prove_phrase
from strongroom.usecases.read import find_row
from strongroom.usecases.register import checked

_NO_UUID = UUID(int=0)
"""What an id of legacy tables is read as that is no UUID."""
_UNNAMED = "The id of this wallet is no UUID: strongroom cannot name it, and proves nothing of it."
_OF_NO_PROJECT = "The project id of this wallet is no UUID in lower case: nothing is proved of it."
_DOCTOR = "`strongroom doctor` reads such wallets, and names for each the command that prints its text."


def verify(
    context: VaultContext, wallet: WalletReference | None, project_id: UUID | str | None, phrases: bool
) -> Iterator[VerifyResult]:
    """Check the arguments now, prove as results are taken; see Vault.verify."""
    if wallet is not None:
        row = find_row(context, wallet)
        return _results(context, [row], phrases, row.wallet.public_key)
    project = None if project_id is None else check_project_id(project_id)
    return _results(context, context.store.wallets.stream(project), phrases)


def _results(
    context: VaultContext, wallets: Iterable[StoredWallet], phrases: bool, public_key: str | None = None
) -> Iterator[VerifyResult]:
    shared = context.store.register.shared_keys(public_key)
    opened = OpenedPhrases(context)
    for stored in wallets:
        yield _result(context, stored, phrases, shared, opened)


def _result(
    context: VaultContext, row: StoredWallet, phrases: bool, shared: Mapping[str, bool], opened: OpenedPhrases
) -> VerifyResult:
    stored = row
    if context.store.foreign and row.wallet.id == _NO_UUID:
        return VerifyResult(_NO_UUID, InvalidWalletIdError(_UNNAMED, hint=_DOCTOR))
    if context.store.foreign and row.wallet.project_id == _NO_UUID:
        return VerifyResult(row.wallet.id, InvalidProjectError(_OF_NO_PROJECT, hint=_DOCTOR))
    try:
        stored = checked(context, row, unproved=context.store.foreign)
        material = prove(context, stored)
        if phrases:
            prove_phrase(context, stored.wallet, material)
            opened.prove(stored.wallet, material)
    except StoreError:  # of looking for a newer keyring: it says nothing about the wallet
        raise
    except StrongroomError as error:
        return VerifyResult(stored.wallet.id, error)
    across = shared.get(stored.wallet.public_key)
    warnings = () if across is None else (ACROSS_PROJECTS if across else SHARED_KEY,)
    return VerifyResult(stored.wallet.id, warnings=warnings)
