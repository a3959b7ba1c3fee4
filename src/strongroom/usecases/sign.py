"""Sign: check and hash, log and commit, open, sign, verify; in this order, and no signature without the row.

What is left behind if the process dies: before the commit nothing; after it a log row of a signature that nobody got.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import (
    IdentityMismatchError,
    KeyMissingError,
    NonceConflictError,
    NotSealedError,
    SignatureRefusedError,
    SigningError,
    UnknownNetworkError,
    UnsupportedSigningError,
    WalletNotFoundError,
    WalletRevokedError,
)
from strongroom.host.fork_gate import ForkGate
from strongroom.ports.signing import Prepared, Signed, SigningNetwork
from strongroom.records.register import NonceRecord, TaggedRow
from strongroom.records.signing import PriorUse, ReplayScope, SigningDecision, SigningRecord, SigningRequest
from strongroom.records.signing_kinds import CheckedRequest, VaultOptions
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import REPLACED, STATUS, Wallet, WalletReference
from strongroom.usecases.accounts import Accounts
from strongroom.usecases.context import VaultContext
from strongroom.usecases.group_commit import GroupCommit
from strongroom.usecases.outcome import no_look, resolve
from strongroom.usecases.prepare import prepare
from strongroom.usecases.proof import identity_of
from strongroom.usecases.read import asked_for, get_stored
from strongroom.usecases.register import check_nonce, checked
from strongroom.usecases.tagging import tag_nonce

_MOST_REMEMBERED = 4096


class Signer:
    """Signs for one vault. Remembers public facts of wallets, which are compared with the row each time; no key."""

    def __init__(self, context: VaultContext) -> None:
        self._context = context
        self._facts: dict[UUID, Wallet] = {}
        self._accounts = Accounts(context)
        self._networks: dict[str, SigningNetwork] = {}
        self._loading = ForkGate()
        self._group: GroupCommit[SigningRecord, SigningDecision] = GroupCommit(
            lambda records: context.store.signing.authorize(records, context.clock()),
            lanes=context.store.signing.writers,
        )

    def sign(self, wallet: WalletReference, request: SigningRequest, actor: Attribution) -> Signed:
        """Sign a request; see Vault.sign."""
        facts = self._known(wallet)
        _, project_id = asked_for(wallet)

        def grant_and_sign(_lost: bool) -> Signed | None:
            nonlocal facts
            facts, prepared, options = self._prepared(facts, request)
            record = self._record(facts, prepared, actor, options)
            self._accounts.require_no_other_payload(record, facts, replace=options.replace)
            grant = self._granted(record, replace=options.replace)
            if grant.stored is None:
                self._facts.pop(facts.id, None)
                facts = self._known(wallet)  # says what is wrong, unless it came back meanwhile
                return None
            row = self._row(grant.stored, facts.id, project_id)
            if _public_half(row.wallet) != _public_half(facts):
                facts = self._remember(row.wallet)
                return None
            if grant.logged:
                self._require_live(row.wallet, allow_retired=options.allow_retired)
                self._tag_anew(record)
                return self._sign(row, prepared)
            self._refuse(grant, record, replace=options.replace)
            return None

        contended = "The wallet or its nonce changed several times in a row: no signature."
        try:  # after a lost outcome a row may be there, a signature is not: ask again
            return resolve(grant_and_sign, no_look, contended=contended)
        except (SigningError, WalletRevokedError) as error:
            self._log_refusal(facts, request, error, actor)
            raise

    def _sign(self, row: StoredWallet, prepared: Prepared) -> Signed:
        if row.sealed_text is None:
            raise NotSealedError(f"The wallet {row.wallet.id} has no sealed text.")
        material = sealing.open_sealed(row.sealed_text, identity_of(row.wallet), self._context.keyring)
        return prepared.sign(material)

    def _prepared(self, facts: Wallet, request: SigningRequest) -> tuple[Wallet, Prepared, VaultOptions]:
        """The facts that a request was prepared for; where they refuse it, those of the row as it is now."""
        try:
            return facts, *self._prepare(facts, request)
        except (SigningError, UnknownNetworkError):
            self._facts.pop(facts.id, None)
            current = get_stored(self._context, facts).wallet
            if _public_half(current) == _public_half(facts):
                raise
        self._remember(current)
        return current, *self._prepare(current, request)

    def _prepare(self, facts: Wallet, request: SigningRequest) -> tuple[Prepared, VaultOptions]:
        network = self._networks.get(facts.network)
        if network is not None:
            return _meant(*prepare(network, facts, request))
        with self._loading:  # the first one loads what signs there
            network = self._signing_network(facts.network)
            prepared, checked = prepare(network, facts, request)
        self._networks[facts.network] = network  # to ask a Protocol whether it fits takes longer than to hash
        return _meant(prepared, checked)

    def _signing_network(self, name: str) -> SigningNetwork:
        network = self._context.networks.get(name)
        if not isinstance(network, SigningNetwork):
            raise UnsupportedSigningError(f"Wallets of {name} do not sign yet.")
        return network

    def _granted(self, record: SigningRecord, *, replace: bool) -> SigningDecision:
        grant = self._group.ask(record)
        prior, scope = grant.prior_use, record.scope
        if prior is not None:
            self._check_prior_use(record, prior)
        if grant.logged or not replace or prior is None or scope is None or prior.digest == record.digest:
            return grant
        if not scope.may_replace(prior.terms):
            raise NonceConflictError(
                f"The replacement under nonce {scope.sequence} does not pay a higher fee than what it replaces."
            )
        return self._context.store.signing.authorize_replacement(record, prior.digest, self._context.clock())

    def _check_prior_use(self, record: SigningRecord, prior: PriorUse) -> None:
        """Raise IdentityMismatchError where somebody changed what was signed under the scope."""
        scope, project_id, address = record.scope, record.project_id, record.address
        if scope is None or project_id is None or address is None:
            return
        before = nonce_record(project_id, address, prior.credential_id, scope)
        check_nonce(self._context, before._replace(digest=prior.digest, fee=prior.terms), prior.tag, record.wallet_id)

    def _tag_anew(self, record: SigningRecord) -> None:
        """Tag the scope under the key that seals now, where the vault learned of a rotation from this very grant."""
        scope, tag, keyring = record.scope, record.scope_tag, self._context.keyring
        if scope is None or tag is None or record.project_id is None or keyring.counts(tag.kid):
            return
        new = nonce_record(record.project_id, record.address or "", record.wallet_id, scope)
        new = new._replace(digest=record.digest)
        keys = {name: getattr(new, name) for name in ("project_id", "chain_id", "address", "nonce")}
        self._context.store.tags.retag([(TaggedRow("nonce", keys, new, tag), tag_nonce(self._context, new))])

    def _require_live(self, wallet: Wallet, *, allow_retired: bool) -> None:
        """What the register says of a wallet's state and level counts, too, where its row says more than that."""
        if wallet.status != STATUS and not (wallet.status == REPLACED and allow_retired):
            raise WalletRevokedError(f"The wallet {wallet.id} was retired; it signs nothing.")
        if wallet.access_level not in (None, "project_admin", "project_member"):
            raise SignatureRefusedError(f"The access level of the wallet {wallet.id} does not allow signing.")

    def _record(self, facts: Wallet, prepared: Prepared, actor: Attribution, options: VaultOptions) -> SigningRecord:
        digest = prepared.digest.hex()
        details: Mapping[str, str] = {"kind": prepared.kind, "digest": digest, **prepared.intent.summary()}
        log = LogEntry("sign", actor, details)
        scope, retired = prepared.replay_scope if options.nonce_guard else None, options.allow_retired
        if scope is None:
            return SigningRecord(facts.id, log, digest, None, retired, facts.project_id, facts.address)
        account = self._accounts.of(facts)
        used = nonce_record(facts.project_id, account, facts.id, scope)._replace(digest=digest)
        tag = tag_nonce(self._context, used)
        return SigningRecord(facts.id, log, digest, scope, retired, facts.project_id, account, tag)

    def _refuse(self, grant: SigningDecision, record: SigningRecord, *, replace: bool) -> None:
        """Raise what stands against a signature; returns where only the moment did, such as another replacement."""
        if grant.state == "revoked":
            raise WalletRevokedError(
                f"The wallet {record.wallet_id} is revoked; it signs nothing.", hint="Use the live wallet of its slot."
            )
        if grant.state == "replaced" and not record.allow_retired:
            raise WalletRevokedError(
                f"The wallet {record.wallet_id} was replaced; it signs nothing by itself.",
                hint="To move what is left on it: allow_retired=True, or --allow-retired.",
            )
        if grant.state == "unknown":
            raise SignatureRefusedError(
                f"The status in the row of the wallet {record.wallet_id} does not allow signing."
            )
        if grant.stored is not None and grant.stored.sealed_text is None:
            raise KeyMissingError(f"The wallet {record.wallet_id} has no vault record.")
        if not grant.access_allowed:
            raise SignatureRefusedError(f"The access level of the wallet {record.wallet_id} does not allow signing.")
        prior, scope = grant.prior_use, record.scope
        if prior is not None and scope is not None and prior.digest != record.digest and not replace:
            raise NonceConflictError(
                f"Another payload was signed under nonce {scope.sequence} on chain {scope.domain}."
            )

    def _log_refusal(
        self, facts: Wallet, request: SigningRequest, error: SigningError | WalletRevokedError, actor: Attribution
    ) -> None:
        declared = (each.signing_kinds for each in self._context.networks if isinstance(each, SigningNetwork))
        named = isinstance(request.kind, str) and any(request.kind in kinds for kinds in declared)
        kind = request.kind if named else "unknown"  # what a caller made up may be anything, a secret too
        entry = LogEntry("sign-refused", actor, {"kind": kind, "code": error.code})
        self._context.store.log.write_log(StoredWallet(facts, None), entry, self._context.clock())

    def _known(self, wallet: WalletReference) -> Wallet:
        """What is known of a wallet: from its rows, checked, never from what a caller passes."""
        wallet_id, project_id = asked_for(wallet)
        known = self._facts.get(wallet_id)
        if known is not None and project_id in (None, known.project_id):
            return known
        return self._remember(get_stored(self._context, wallet).wallet)

    def _remember(self, facts: Wallet) -> Wallet:
        if len(self._facts) >= _MOST_REMEMBERED:
            self._facts.clear()
        self._facts[facts.id] = facts
        return facts

    def _row(self, stored: StoredWallet, wallet_id: UUID, project_id: UUID | None) -> StoredWallet:
        """The wallet that was asked for, as it was read with the grant, checked."""
        row = checked(self._context, stored)
        if project_id not in (None, row.wallet.project_id):
            self._facts.pop(wallet_id, None)
            raise WalletNotFoundError(f"There is no wallet {wallet_id}.")
        if row.wallet.id != wallet_id:
            raise IdentityMismatchError(f"The row of {wallet_id} is another wallet's.", columns=("id",))
        return row


def nonce_record(project_id: UUID, address: str, wallet_id: UUID, scope: ReplayScope) -> NonceRecord:
    """The row of a replay scope, but for the digest of what is signed under it."""
    return NonceRecord(project_id, scope.domain, address, scope.sequence, wallet_id, "", scope.terms)


def _meant(prepared: Prepared, checked: CheckedRequest) -> tuple[Prepared, VaultOptions]:
    """Refuse a dangerous kind that nobody said is meant."""
    if checked.kind.dangerous and not checked.vault.dangerous:
        raise SignatureRefusedError(
            f"Nobody can tell what {checked.kind.noun} stands for.",
            hint="Where it is meant, call dangerously_sign_digest, or pass dangerous=True.",
        )
    return prepared, checked.vault


def _public_half(wallet: Wallet) -> tuple[object, ...]:
    return wallet.id, wallet.project_id, wallet.network, wallet.address, wallet.public_key, wallet.scheme
