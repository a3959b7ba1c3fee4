"""Accounts: wallets as the objects that other libraries sign with. They hold no key; every signature is a vault's.

EVM: what web3.py and eth-account take (extra ``web3``). Solana: what solders takes (extra ``solana``). Importing this
is cheap; the libraries are loaded when an account of theirs is asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from strongroom.accounts.vault_verbs import VaultVerbs, WalletVerbs
from strongroom.errors import MissingExtraError, UnsupportedSigningError
from strongroom.records.wallets import Wallet

if TYPE_CHECKING:
    from strongroom.accounts.evm import EvmAccount
    from strongroom.accounts.solana import SolanaAccount

__all__ = ["VaultVerbs", "account"]

_NEEDS = {"eip155": ("eth_account", "web3"), "solana": ("solders", "solana")}


def account(
    vault: VaultVerbs,
    wallet: Wallet,
    caip2: str,
    *,
    actor: Any = None,
    reason: str | None = None,
    max_fee: int | None = None,
    **permissions: bool,
) -> EvmAccount | SolanaAccount:
    """Return the account of a wallet, for the libraries of its network; ``asynchronous()`` of it is to await.

    Args:
        caip2: the network's CAIP-2 id.
        actor: who signs with it, for the usage log.
        reason: why.
        max_fee: the limit of the fee of each transaction, in wei or lamports, for callers that pass no options; None:
            the network's.
        permissions: ``blind_typed_data`` and ``raw_digests``, EVM only; see EvmAccount.

    Raises MissingExtraError where the library is not installed, UnsupportedSigningError for a network (or a
    permission) that has none.
    """
    family = _family(wallet, caip2)
    verbs = WalletVerbs(vault, wallet, actor, reason, max_fee)
    if family == "eip155":
        from strongroom.accounts.evm import PERMISSIONS, EvmAccount

        _check(permissions, PERMISSIONS)
        return EvmAccount(verbs, **permissions)
    from strongroom.accounts.solana import SolanaAccount

    _check(permissions, frozenset())
    return SolanaAccount(verbs)


def _family(wallet: Wallet, caip2: str) -> str:
    family = caip2.partition(":")[0]
    if family not in _NEEDS:
        raise UnsupportedSigningError(
            f"There are no account objects for {wallet.network}.", hint="Use the vault's own verbs: sign_psbt."
        )
    package, extra = _NEEDS[family]
    if find_spec(package) is None:
        raise MissingExtraError(
            f"Accounts of {wallet.network} need {package}, which is not installed.",
            hint=f"pip install 'strongroom[{extra}]'",
        )
    return family


def _check(permissions: dict[str, bool], known: frozenset[str]) -> None:
    if unknown := sorted(permissions.keys() - known):
        raise UnsupportedSigningError(f"Accounts of this network have no {unknown[0]}.")
