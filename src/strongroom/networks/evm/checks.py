"""What must not be signed as it stands: another chain, another wallet, a fee above the limit.

Every function raises SignatureRefusedError, and names the option that lets it pass where there is one.
"""

from __future__ import annotations

from strongroom.errors import SignatureRefusedError
from strongroom.networks.evm.transaction import LEGACY, EvmTransaction

_MOST_SHOWN_WEI = 10**27
"""A billion coins: what is larger is no fee, and may be something that a message must not show."""


def transaction_chain(tx: EvmTransaction, chain_id: int, *, allow_unprotected: bool) -> None:
    """The chain of a transaction, and of the authorizations in it, is the wallet's. EIP-155, EIP-7702."""
    if tx.chain_id is None:
        if tx.type != LEGACY:
            raise SignatureRefusedError("The transaction names no chain; none is filled in.")
        if not allow_unprotected:
            raise SignatureRefusedError(
                "The transaction names no chain: anybody could replay it on all of them.",
                hint="Set its chain id; where it is meant for every chain, pass allow_unprotected=True.",
            )
    elif tx.chain_id != chain_id:
        raise SignatureRefusedError(f"The transaction is for another chain than the wallet, which is for {chain_id}.")
    for entry in tx.authorization_list:
        if entry.chain_id not in (0, chain_id):
            raise SignatureRefusedError("An authorization of the transaction is for another chain.")


def sender(address: bytes | None, owner: bytes) -> None:
    """The address that a transaction says it is from is the wallet's."""
    if address is not None and address != owner:
        raise SignatureRefusedError("The transaction is from another address than the wallet's.")


def fee(tx: EvmTransaction, limit_wei: int) -> None:
    """The highest fee of a transaction is within a limit: the caller's, or the network's. In wei."""
    most = tx.most_wei()
    if most > limit_wei:
        meant = f"max_fee={most} (--max-fee {most})" if most < _MOST_SHOWN_WEI else "a higher max_fee (--max-fee)"
        raise SignatureRefusedError(
            f"The fee that the transaction allows is above the limit of {min(limit_wei, _MOST_SHOWN_WEI)} wei.",
            hint=f"Check its gas and its prices. Where it is meant, say {meant}.",
        )


def authorization_chain(named: int | None, chain_id: int, *, allow_any_chain: bool) -> int:
    """The chain of an authorization is the wallet's; 0 stands for all of them. Returns it. EIP-7702."""
    if named is None:
        raise SignatureRefusedError("The authorization names no chain; none is filled in.")
    if named == 0 and not allow_any_chain:
        raise SignatureRefusedError(
            "The authorization is for every chain.",
            hint="Set its chain id; where it is meant for every chain, pass allow_any_chain=True.",
        )
    if named not in (0, chain_id):
        raise SignatureRefusedError(f"The authorization is for another chain than the wallet, which is for {chain_id}.")
    return named


def domain_chain(named: int | None, chain_id: int, *, allow_other_chain: bool, allow_any_chain: bool) -> None:
    """The chain of a domain is the wallet's; one that names none is good on every chain. EIP-712."""
    if named is None:
        if not allow_any_chain:
            raise SignatureRefusedError(
                "The domain names no chain: the signature would be good on every chain.",
                hint="Set chainId in the domain; where it is meant for every chain, pass allow_any_chain=True "
                "(--allow-any-chain).",
            )
    elif named != chain_id and not allow_other_chain:
        raise SignatureRefusedError(
            f"The domain is of another chain than the wallet, which is for chain {chain_id}.",
            hint="Where it is meant, pass allow_other_chain=True (--allow-other-chain).",
        )
