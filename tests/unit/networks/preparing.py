"""Requests as a vault has them prepared: checked against the declaration, then read by the network."""

from __future__ import annotations

from typing import Any

from strongroom.model import Wallet
from strongroom.signing import Prepared, SigningRequest
from strongroom.usecases import prepare as usecase


def prepare(network: Any, wallet: Wallet, request: SigningRequest) -> Prepared:
    return usecase.prepare(network, wallet, request)[0]
