"""Prove stored wallets, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from strongroom.errors import StoreError, StrongroomError
from strongroom.identifiers import check_project_id
from strongroom.model import StoredWallet, VerifyResult, Wallet
from strongroom.usecases.foreign import resolved
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import prove, prove_phrase
from strongroom.usecases.read import get_stored


def verify(
    parts: Parts, wallet: UUID | str | Wallet | None, project_id: UUID | str | None, phrases: bool
) -> Iterator[VerifyResult]:
    """Check the arguments now, prove as results are taken; see Vault.verify."""
    if wallet is not None:
        return _results(parts, [get_stored(parts, wallet)], phrases)
    project = None if project_id is None else check_project_id(project_id)
    return _results(parts, parts.store.stream(project), phrases)


def _results(parts: Parts, wallets: Iterable[StoredWallet], phrases: bool) -> Iterator[VerifyResult]:
    for stored in wallets:
        yield _result(parts, resolved(parts, stored), phrases)


def _result(parts: Parts, stored: StoredWallet, phrases: bool) -> VerifyResult:
    try:
        material = prove(parts, stored)
        if phrases:
            prove_phrase(parts, stored.wallet, material)
    except StoreError:  # of looking for a newer keyring: it says nothing about the wallet
        raise
    except StrongroomError as error:
        return VerifyResult(stored.wallet.id, error)
    return VerifyResult(stored.wallet.id)
