"""Prove stored wallets, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from strongroom.errors import StoreError, StrongroomError
from strongroom.identifiers import check_project_id
from strongroom.model import ACROSS_PROJECTS, SHARED_KEY, StoredWallet, VerifyResult, Wallet
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import prove, prove_phrase
from strongroom.usecases.read import find_row
from strongroom.usecases.register import checked


def verify(
    parts: Parts, wallet: UUID | str | Wallet | None, project_id: UUID | str | None, phrases: bool
) -> Iterator[VerifyResult]:
    """Check the arguments now, prove as results are taken; see Vault.verify."""
    if wallet is not None:
        row = find_row(parts, wallet)
        return _results(parts, [row], phrases, row.wallet.public_key)
    project = None if project_id is None else check_project_id(project_id)
    return _results(parts, parts.store.wallets.stream(project), phrases)


def _results(
    parts: Parts, wallets: Iterable[StoredWallet], phrases: bool, public_key: str | None = None
) -> Iterator[VerifyResult]:
    shared = parts.store.register.shared_keys(public_key)
    for stored in wallets:
        yield _result(parts, stored, phrases, shared)


def _result(parts: Parts, row: StoredWallet, phrases: bool, shared: Mapping[str, bool]) -> VerifyResult:
    stored = row
    try:
        stored = checked(parts, row, unproved=parts.store.foreign)
        material = prove(parts, stored)
        if phrases:
            prove_phrase(parts, stored.wallet, material)
    except StoreError:  # of looking for a newer keyring: it says nothing about the wallet
        raise
    except StrongroomError as error:
        return VerifyResult(stored.wallet.id, error)
    across = shared.get(stored.wallet.public_key)
    warnings = () if across is None else (ACROSS_PROJECTS if across else SHARED_KEY,)
    return VerifyResult(stored.wallet.id, warnings=warnings)
