"""What prepares each kind that a Bitcoin wallet signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from strongroom.networks.bitcoin import messages, prepared_psbt, raw_digest
from strongroom.networks.bitcoin.chain import BitcoinChain
from strongroom.networks.bitcoin.owner import SpendingWallet
from strongroom.ports.signing import Prepared
from strongroom.records.signing import SigningRequest
from strongroom.records.wallets import Wallet

PREPARE: Mapping[str, Callable[[SpendingWallet, SigningRequest], Prepared]] = {
    "psbt": prepared_psbt.prepare,
    "message": messages.prepare,
    "digest": raw_digest.prepare,
}
"""What prepares each kind that ``kinds`` declares."""


def prepare(chain: BitcoinChain, wallet: Wallet, request: SigningRequest) -> Prepared:
    """Check a request and hash it, for a wallet of a chain. Raises subclasses of SigningError only."""
    return PREPARE[request.kind](SpendingWallet.of(chain, wallet), request)
