"""A vault of one key in memory, with the verbs that accounts need: the networks' own ``prepare`` and ``sign``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from strongroom import accounts
from strongroom.networks import TABLE
from strongroom.ports.signing import SigningNetwork
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import SigningRequest
from strongroom.records.stored_wallets import wallet_of_key
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from testbed.networks import preparing

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class StandInVault:
    """Signs for one wallet; remembers who asked, and with which options."""

    def __init__(self, network: str, private_key: bytes) -> None:
        self.network = TABLE.get(network)
        scheme = self.network.scheme(None)
        self._material = KeyMaterial(Secret(private_key), scheme)
        half = self.network.public_half(self._material.private_key, scheme)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.wallet = wallet_of_key(UUID(int=1), UUID(int=2), network, "default", self._material, half, _NOW)

    def account(self, **settings: Any) -> Any:
        return accounts.account(self, self.wallet, self.network.caip2, **settings)

    def sign_message(self, wallet: Wallet, data: Any, /, **options: Any) -> Any:
        return self._sign("message", wallet, data, options)

    def sign_typed_data(self, wallet: Wallet, document: Any, /, **options: Any) -> Any:
        return self._sign("typed-data", wallet, document, options)

    def sign_transaction(self, wallet: Wallet, transaction: Any, /, **options: Any) -> Any:
        return self._sign("transaction", wallet, transaction, options)

    def sign_authorization(self, wallet: Wallet, authorization: Any, /, **options: Any) -> Any:
        return self._sign("authorization", wallet, authorization, options)

    def dangerously_sign_digest(self, wallet: Wallet, digest: Any, /, **options: Any) -> Any:
        return self._sign("digest", wallet, digest, options)

    def _sign(self, kind: str, wallet: Wallet, payload: Any, options: dict[str, Any]) -> Any:
        assert wallet == self.wallet
        assert isinstance(self.network, SigningNetwork)
        self.calls.append((kind, dict(options)))
        network_options = {name: value for name, value in options.items() if name not in ("actor", "reason", "replace")}
        prepared = preparing.prepare(self.network, wallet, SigningRequest(kind, payload, network_options))
        return prepared.sign(self._material)
