"""Requests as a vault has them prepared: checked against the declaration, then read by the network."""

from __future__ import annotations

from typing import Any

from strongroom.ports.signing import Prepared
from strongroom.records.signing import SigningRequest
from strongroom.records.wallets import Wallet
from strongroom.usecases import prepare as usecase


def prepare(network: Any, wallet: Wallet, request: SigningRequest) -> Prepared:
    return usecase.prepare(network, wallet, request)[0]
