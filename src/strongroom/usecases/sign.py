"""Sign: check and hash, log and commit, open, sign, verify; in this order, and no signature without the row.

What is left behind if the process dies: before the commit nothing; after it a log row of a signature that nobody got.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from strongroom import sealing
from strongroom.errors import (
    ContentionError,
    KeyMissingError,
    NonceConflictError,
    NotSealedError,
    OutcomeUnknownError,
    SignatureRefusedError,
    SigningError,
    UnknownNetworkError,
    UnsupportedSigningError,
    WalletNotFoundError,
    WalletRevokedError,
)
from strongroom.model import Actor, LogEntry, StoredWallet, Wallet
from strongroom.ports import SigningNetwork
from strongroom.signing import Grant, Prepared, Signed, ToSign, Wish
from strongroom.usecases.foreign import resolved
from strongroom.usecases.group_commit import GroupCommit
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import identity_of
from strongroom.usecases.read import get_stored
from strongroom.usecases.unknown import asking

_ATTEMPTS = 5
_MOST_REMEMBERED = 4096


class Signer:
    """Signs for one vault. Remembers public facts of wallets, which are compared with the row each time; no key."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._facts: dict[UUID, Wallet] = {}
        self._networks: dict[str, SigningNetwork] = {}
        self._group: GroupCommit[Wish, Grant] = GroupCommit(
            lambda wishes: parts.store.authorize(wishes, parts.clock()), lanes=parts.store.writers
        )

    def sign(
        self,
        wallet: UUID | str | Wallet,
        request: ToSign,
        actor: Actor,
        *,
        replace: bool = False,
        nonce_guard: bool = True,
        retired_too: bool = False,
    ) -> Signed:
        """Sign a request; see Vault.sign_message and its siblings."""
        facts = self._known(wallet)
        try:
            unknown = None
            for _ in range(_ATTEMPTS):
                facts, prepared = self._prepared(facts, request)
                wish = _wish(facts, prepared, actor, nonce_guard=nonce_guard, retired_too=retired_too)
                try:
                    with asking(unknown):
                        grant = self._granted(wish, replace=replace)
                except OutcomeUnknownError as error:
                    unknown = error
                    continue  # the row may be there, a signature is not: ask again
                row = self._row(grant, facts.id)
                if _public_half(row.wallet) != _public_half(facts):
                    facts = self._remember(row.wallet)
                    continue
                if grant.logged:
                    return self._sign(row, prepared)
                self._refuse(grant, wish, replace=replace)
        except (SigningError, WalletRevokedError) as error:
            self._log_refusal(facts, request, error, actor)
            raise
        raise unknown or ContentionError("The wallet or its nonce changed several times in a row: no signature.")

    def _sign(self, row: StoredWallet, prepared: Prepared) -> Signed:
        if row.sealed_text is None:
            raise NotSealedError(f"The wallet {row.wallet.id} has no sealed text.")
        material = sealing.open_sealed(row.sealed_text, identity_of(row.wallet), self._parts.keyring)
        return prepared.sign(material)

    def _prepared(self, facts: Wallet, request: ToSign) -> tuple[Wallet, Prepared]:
        """The facts that a request was prepared for; where they refuse it, those of the row as it is now."""
        try:
            return facts, self._prepare(facts, request)
        except (SigningError, UnknownNetworkError):
            self._facts.pop(facts.id, None)
            current = get_stored(self._parts, facts.id).wallet
            if _public_half(current) == _public_half(facts):
                raise
        self._remember(current)
        return current, self._prepare(current, request)

    def _prepare(self, facts: Wallet, request: ToSign) -> Prepared:
        network = self._networks.get(facts.network) or self._signing_network(facts.network)
        return network.prepare(facts, request)

    def _signing_network(self, name: str) -> SigningNetwork:
        network = self._parts.networks.get(name)
        if not isinstance(network, SigningNetwork):
            raise UnsupportedSigningError(f"Wallets of {name} do not sign yet.")
        self._networks[name] = network  # to ask a Protocol whether it fits takes longer than to hash a message
        return network

    def _granted(self, wish: Wish, *, replace: bool) -> Grant:
        grant = self._group.ask(wish)
        if grant.logged or not replace or grant.known is None or wish.nonce is None:
            return grant
        digest, fee = grant.known
        if digest == wish.digest:
            return grant
        if len(fee) != len(wish.nonce.fee) or not all(new > old for new, old in zip(wish.nonce.fee, fee, strict=True)):
            raise NonceConflictError(
                f"The replacement under nonce {wish.nonce.nonce} does not pay a higher fee than what it replaces."
            )
        return self._parts.store.authorize_replacement(wish, digest, self._parts.clock())

    def _refuse(self, grant: Grant, wish: Wish, *, replace: bool) -> None:
        """Raise what stands against a signature; returns where only the moment did, such as another replacement."""
        if grant.state == "revoked":
            raise WalletRevokedError(
                f"The wallet {wish.wallet_id} is revoked; it signs nothing.", hint="Use the live wallet of its slot."
            )
        if grant.state == "replaced" and not wish.retired_too:
            raise WalletRevokedError(
                f"The wallet {wish.wallet_id} was replaced; it signs nothing by itself.",
                hint="To move what is left on it: retired_too=True, or --retired-too.",
            )
        if grant.stored is not None and grant.stored.sealed_text is None:
            raise KeyMissingError(f"The wallet {wish.wallet_id} has no vault record.")
        if not grant.level_allows:
            raise SignatureRefusedError(f"The access level of the wallet {wish.wallet_id} does not allow signing.")
        if grant.known is not None and wish.nonce is not None and grant.known[0] != wish.digest and not replace:
            raise NonceConflictError(
                f"Another payload was signed under nonce {wish.nonce.nonce} on chain {wish.nonce.chain_id}."
            )

    def _log_refusal(
        self, facts: Wallet, request: ToSign, error: SigningError | WalletRevokedError, actor: Actor
    ) -> None:
        entry = LogEntry("sign-refused", actor, {"kind": request.kind, "code": error.code})
        self._parts.store.write_log(StoredWallet(facts, None), entry, self._parts.clock())

    def _known(self, wallet: UUID | str | Wallet) -> Wallet:
        if isinstance(wallet, Wallet):
            return wallet
        known = self._facts.get(wallet) if isinstance(wallet, UUID) else None
        return known or self._remember(get_stored(self._parts, wallet).wallet)

    def _remember(self, facts: Wallet) -> Wallet:
        if len(self._facts) >= _MOST_REMEMBERED:
            self._facts.clear()
        self._facts[facts.id] = facts
        return facts

    def _row(self, grant: Grant, wallet_id: UUID) -> StoredWallet:
        if grant.stored is None:
            self._facts.pop(wallet_id, None)
            raise WalletNotFoundError(f"There is no wallet {wallet_id}.")
        return resolved(self._parts, grant.stored)


def _wish(facts: Wallet, prepared: Prepared, actor: Actor, *, nonce_guard: bool, retired_too: bool) -> Wish:
    digest = prepared.digest.hex()
    details: Mapping[str, str] = {"kind": prepared.kind, "digest": digest, **prepared.summary}
    nonce = prepared.nonce if nonce_guard else None
    return Wish(facts.id, LogEntry("sign", actor, details), digest, nonce, retired_too)


def _public_half(wallet: Wallet) -> tuple[object, ...]:
    return wallet.id, wallet.project_id, wallet.network, wallet.address, wallet.public_key, wallet.scheme
