"""Prepare a request: check it against what the network declares, and have the network read and hash it."""

from __future__ import annotations

from strongroom.model import Wallet
from strongroom.ports import SigningNetwork
from strongroom.signing import Prepared, SigningRequest
from strongroom.signing_kinds import CheckedRequest, check_request


def prepare(network: SigningNetwork, wallet: Wallet, request: SigningRequest) -> tuple[Prepared, CheckedRequest]:
    """Check and hash a request, for a wallet of a network; opens no key, and grants nothing.

    Returns what can be signed, and the request as it was checked, with what the vault itself acts on. Raises a
    subclass of SigningError.
    """
    checked = check_request(wallet.network, network.signing_kinds, request)
    return network.prepare(wallet, checked.request), checked
