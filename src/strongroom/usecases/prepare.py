"""Prepare a request: check it against what the network declares, and have the network read and hash it."""

from __future__ import annotations

from strongroom.ports.signing import Prepared, SigningNetwork
from strongroom.records.signing import SigningRequest
from strongroom.records.signing_kinds import CheckedRequest, check_request
from strongroom.records.wallets import Wallet


def prepare(network: SigningNetwork, wallet: Wallet, request: SigningRequest) -> tuple[Prepared, CheckedRequest]:
    """Check and hash a request, for a wallet of a network; opens no key, and grants nothing.

    Returns what can be signed, and the request as it was checked, with what the vault itself acts on. Raises a
    subclass of SigningError.
    """
    checked = check_request(wallet.network, network.signing_kinds, request)
    return network.prepare(wallet, checked.request), checked
