"""Every verb, asked of rows that somebody tampered with, and judged by what was there before.

An answer is right, or partly told by the database (``TOLD``: times and methods, texts of the history), or it deviates;
a deviation is named, and the matrix says where one is documented. Errors must be typed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import eth_account

from strongroom import ProjectPhrase, StrongroomError, Vault, Wallet
from testbed.command_line import call
from testbed.processes.signing import transaction
from tests.attacks.tampering.matrix_backend import HOT_KEY, MESSAGE, MatrixBackend, MatrixWallet, words_of

RIGHT, TYPED, TOLD = "right", "typed", "told"
_STRICTNESS = {"active": 0, "replaced": 1, "revoked": 2}
_LEVELS = {"project_admin": 0, "project_member": 1, "revoked": 2}
_PASSWORD = "a long password"
_PROVED = ("id", "project_id", "network", "label", "address", "public_key", "vault_id", "scheme", "path")
_WHY: dict[str, Any] = {"actor": "test", "reason": "after tampering"}


@dataclass
class Answers:
    """What became of every question of one cell."""

    verdicts: dict[str, str] = field(default_factory=dict)
    """By what was asked."""
    deviations: dict[str, str] = field(default_factory=dict)
    """What deviates, by its name, with who was asked."""

    def ask(self, name: str, call: Callable[[], object], judge: Callable[[Any], str]) -> None:
        """Call a verb and judge what it returns; everything but a typed error is caught as a deviation."""
        try:
            verdict = judge(call())
        except StrongroomError as error:
            verdict = TYPED
            assert error.code
        except Exception as error:
            verdict = f"untyped {type(error).__name__}"
        self.note(verdict, name)

    def note(self, verdict: str, who: str) -> None:
        """Keep a verdict."""
        if verdict != RIGHT or who not in self.verdicts:
            self.verdicts[who] = verdict
        if verdict not in (RIGHT, TYPED, TOLD):
            self.deviations.setdefault(verdict, who)

    def has(self, verdict: str) -> bool:
        """Whether anything ended so."""
        return verdict in self.verdicts.values()


class Questions:
    """The verbs of one backend, put to one vault."""

    def __init__(self, backend: MatrixBackend, vault: Vault, answers: Answers, how: str) -> None:
        self.backend, self.vault, self.answers, self.how = backend, vault, answers, how

    def _ask(self, verb: str, who: str, call: Callable[[], object], judge: Callable[[Any], str]) -> None:
        self.answers.ask(f"{verb} of {who}, {self.how}", call, judge)

    # --- what changes nothing -------------------------------------------------------------------------------

    def read(self, *names: str) -> None:
        """Every verb that reads, signs or reveals."""
        for name in names or self.backend.known:
            known = self.backend[name]
            for each in (known.wallet.id, known.wallet):
                self._use(known, each)
            self._find(known)
        self._lists()
        self._phrases()

    def use(self, *names: str) -> None:
        """The verbs that use a wallet by its id."""
        for name in names:
            self._use(self.backend[name], self.backend[name].wallet.id)

    def _use(self, known: MatrixWallet, asked: Any) -> None:
        vault, who = self.vault, known.name
        self._ask("get", who, lambda: vault.get_wallet(asked), lambda found: judged(known, found))
        self._ask("sign", who, lambda: vault.sign_message(asked, MESSAGE), lambda found: _signature(known, found))
        self._ask(
            "reveal", who, lambda: vault.reveal(asked, **_WHY).private_key.reveal_text(), lambda key: _key(known, key)
        )
        self._ask("account", who, lambda: vault.account(asked), lambda found: _account(known, found))

    def _find(self, known: MatrixWallet) -> None:
        vault, wallet, who = self.vault, known.wallet, known.name
        live = self._live(known)
        self._ask(
            "find",
            who,
            lambda: vault.find_wallet(wallet.project_id, wallet.network, wallet.label),
            lambda found: "find: no wallet" if found is None else judged(live, found),
        )
        for project in (None, wallet.project_id):
            self._ask(
                "find_by_address",
                who,
                lambda project=project: vault.find_by_address(wallet.address, project_id=project),  # type: ignore[misc]
                lambda found: judged(known, found),
            )
        self._ask("verify", who, lambda: list(vault.verify(wallet.id)), lambda found: self._verified(found, [known]))
        self._ask("history", who, lambda: vault.history(wallet.id).entries, lambda found: RIGHT)

    def export(self, name: str) -> None:
        """A keystore, which takes a while."""
        known = self.backend[name]

        def opened(document: str) -> str:
            return _key(known, eth_account.Account.decrypt(json.loads(document), _PASSWORD).hex())

        self._ask(
            "export",
            name,
            lambda: self.vault.export_keystore(known.wallet.id, password=_PASSWORD, **_WHY),
            opened,
        )

    def _lists(self) -> None:
        for name, project in self.backend.projects.items():
            theirs = [known for known in self.backend.known.values() if known.wallet.project_id == project]
            for network in (None, "ethereum"):
                wanted = [known for known in theirs if network in (None, known.wallet.network)]
                self._ask(
                    "list",
                    f"{name} {network}",
                    lambda project=project, network=network: self.vault.list_wallets(project, network=network).wallets,  # type: ignore[misc]
                    lambda found, wanted=wanted: self._listed(found, wanted),  # type: ignore[misc]
                )
        everything = list(self.backend.known.values())
        self._ask(
            "verify",
            "all",
            lambda: list(self.vault.verify(phrases=True)),
            lambda found: self._verified(found, everything),
        )
        self._ask("status", "all", lambda: self.vault.status().as_dict(), lambda found: RIGHT)

    def _phrases(self) -> None:
        """What is read of a project's phrase, and its words."""
        for name in self.backend.projects:
            self._phrase(name)

    def _phrase(self, name: str) -> None:
        vault, project = self.vault, self.backend.projects[name]
        known, words = self.backend.phrases[name], self.backend.words[name]

        def ask(verb: str, question: Callable[[], Any], fits: Callable[[Any], bool]) -> None:
            self._ask(verb, name, question, lambda found: _same(fits(found), f"{verb}: another phrase"))

        ask("find_phrase", lambda: vault.find_phrase(project), lambda found: _is_phrase(known, found))
        ask(
            "list_phrases",
            lambda: vault.list_phrases(project).phrases,
            lambda found: all(_is_phrase(known, each) for each in found),
        )
        ask("reveal_phrase", lambda: words_of(vault, project), lambda found: found == words)
        ask("list_accounts", lambda: vault.list_accounts(project), lambda found: True)
        ask("verify_phrases", lambda: list(vault.verify_phrases(project)), lambda found: True)
        self._ask(
            "export_xpub",
            name,
            lambda: vault.export_xpub(project, "ethereum", **_WHY),
            lambda _: "export_xpub: of an account whose key was revealed",
        )

    def _derive(self) -> None:
        """One more wallet of a project's phrase: its key is one that the phrase has and no other wallet."""
        backend, taken = self.backend, {known.wallet.address for known in self.backend.known.values()}
        for name, project in backend.projects.items():
            self._ask(
                "create_many",
                name,
                lambda project=project: self.vault.create_many(project, "ethereum", ["derived", "next"]),  # type: ignore[misc]
                lambda made, name=name: _derived(made, backend.words[name], taken),  # type: ignore[misc]
            )

    def _listed(self, found: tuple[Wallet, ...], wanted: list[MatrixWallet]) -> str:
        verdicts = set()
        by_id = {known.wallet.id: known for known in wanted}
        for wallet in found:
            known = by_id.pop(wallet.id, None)
            verdicts.add("list: a wallet that is none" if known is None else judged(known, wallet))
        if by_id:
            verdicts.add("list: a wallet is missing")
        return _worst(verdicts)

    def _verified(self, found: list[Any], wanted: list[MatrixWallet]) -> str:
        left = {known.wallet.id for known in wanted}
        for result in found:
            if result.ok and result.id not in left:
                return "verify: a wallet that is none passes"
            left.discard(result.id)
        if not all(result.ok for result in found):
            return TYPED
        return "verify: a wallet is missing" if left else RIGHT

    def _live(self, known: MatrixWallet) -> MatrixWallet:
        return self.backend["successor"] if known.name == "replaced" else known

    # --- what changes nothing where nothing was tampered with -----------------------------------------------

    def repeat(self) -> None:
        """What callers repeat: creations, imports, keys that are there, transactions."""
        vault, backend = self.vault, self.backend
        one, other, hot, revoked = backend["one"], backend["other"], backend["hot"], backend["revoked"]

        def create(known: MatrixWallet, **options: Any) -> Callable[[], Any]:
            wallet = known.wallet
            return lambda: vault.create_wallet(wallet.project_id, wallet.network, label=wallet.label, **options)

        for known in backend.known.values():
            self._ask("create", known.name, create(known), lambda made, known=known: self._created(known, made))  # type: ignore[misc]
        for known, key in ((one, "key of one"), (other, "key of one"), (revoked, "key of it"), (one, "another key")):
            self._ask(
                "idempotent create",
                known.name,
                create(known, idempotency_key=key),
                lambda made, known=known: self._created(known, made),  # type: ignore[misc]
            )
        wallet = hot.wallet
        self._ask(
            "import",
            "hot",
            lambda: vault.import_wallet(wallet.project_id, "ethereum", label="hot", private_key=HOT_KEY),
            lambda made: self._created(hot, made),
        )
        for known in (one, hot):
            self._ask(
                "store_key",
                known.name,
                lambda known=known: vault.store_key(known.wallet.id, private_key=known.key).wallet,  # type: ignore[misc]
                lambda found, known=known: judged(known, found),  # type: ignore[misc]
            )
            self._ask(
                "restore",
                known.name,
                lambda known=known: vault.restore(known.wallet.id).wallet,  # type: ignore[misc]
                lambda found, known=known: judged(known, found),  # type: ignore[misc]
            )

    def transactions(self) -> None:
        """The same transaction again, another one under its nonce, and replacements that pay too little, and enough."""
        for name in ("one", "other"):
            known, signed = self.backend[name], self.backend.signed[name]
            self._transaction(known, 15, lambda found: "sign: another payload under a nonce")
            self._transaction(known, 15, lambda found: "sign: a replacement that pays less", replace=True)
            self._transaction(
                known,
                20,
                lambda found, signed=signed: _same(found.as_dict() == signed, "sign: another"),  # type: ignore[misc]
            )
            self._transaction(
                known,
                30,
                lambda found, known=known: _recovered(known, found),  # type: ignore[misc]
                replace=True,
            )

    def _transaction(
        self, known: MatrixWallet, fee: int, judge: Callable[[Any], str], *, replace: bool = False
    ) -> None:
        self._ask(
            f"sign transaction that pays {fee}" + (", in another's place," if replace else ""),
            known.name,
            lambda: self.vault.sign_transaction(known.wallet.id, transaction(1, fee), replace=replace),
            judge,
        )

    def _created(self, known: MatrixWallet, made: Any) -> str:
        wallet, created = made
        if known.wallet.status == "revoked":
            return "create: a wallet for a label that was revoked"
        return "create: a second wallet" if created else judged(self._live(known), wallet)

    def operate(self) -> None:
        """Doctor, and a repair that is planned and carried out: they end, and bless nothing."""
        deployment = self.backend.deployment
        opened = ("--database", deployment.url, "--root-key", deployment.root_key)
        with tempfile.TemporaryDirectory() as folder:
            plan = str(Path(folder) / "plan.json")
            for command in (("doctor",), ("repair", "--plan", plan), ("repair", "--apply", plan)):
                self._ask(
                    " ".join(command[:2]),
                    "all",
                    lambda command=command: call(command[0], *opened, *command[1:]),  # type: ignore[misc]
                    lambda answer: _same("Traceback" not in answer.err, "an operation that ends in a traceback"),
                )

    # --- what changes rows ----------------------------------------------------------------------------------

    def _create_more(self) -> None:
        """A wallet of another label: it opens, and is what was asked for."""
        project = self.backend.projects["first"]
        made: list[Wallet] = []

        def create() -> Any:
            made.append(self.vault.create_wallet(project, "ethereum", label="new")[0])
            return made[0]

        self._ask(
            "create",
            "a new label",
            create,
            lambda new: _same(
                (new.project_id, new.network, new.label, new.status, new.proved)
                == (project, "ethereum", "new", "active", True)
                and new.address not in {known.wallet.address for known in self.backend.known.values()},
                "create: another wallet than was asked for",
            ),
        )
        for wallet in made:
            known = MatrixWallet("new", wallet, "", None)
            self._ask("get", "new", lambda: self.vault.get_wallet(wallet.id), lambda found: judged(known, found))  # noqa: B023
            self._ask("verify", "new", lambda: [each.ok for each in self.vault.verify(wallet.id)], lambda found: RIGHT)  # noqa: B023

    def change(self) -> None:
        """A new wallet, a new sealing key, and everything moved to it: it must tag nothing that was tampered with."""
        self._create_more()
        self._derive()
        self._ask("rotate", "all", self.vault.rotate_sealing_key, lambda kid: RIGHT)
        self._ask("rewrap", "all", lambda: list(self.vault.rewrap()), lambda results: RIGHT)

    def retire(self) -> None:
        """Revoke a wallet, and replace others: what was retired signs nothing afterwards."""
        vault, backend = self.vault, self.backend
        self._ask(
            "revoke",
            "hot",
            lambda: vault.revoke_wallet(backend["hot"].wallet.id),
            lambda found: _revoked(backend["hot"], found),
        )
        for name in ("one", "revoked", "replaced"):
            known = backend[name]
            self._ask(
                "replace",
                name,
                lambda known=known: vault.replace_wallet(known.wallet.id),  # type: ignore[misc]
                lambda made, known=known: self._replaced(known, made),  # type: ignore[misc]
            )

    def _replaced(self, known: MatrixWallet, made: Any) -> str:
        wallet, created = made
        if known.name == "replaced":
            return "replace: a second successor" if created else judged(self.backend["successor"], wallet)
        there, old = self.backend.by_id.get(wallet.id), known.wallet
        if there is not None:
            return f"replace: {there.name} as the successor"
        return _same(
            (wallet.project_id, wallet.network, wallet.label, wallet.status)
            == (old.project_id, old.network, old.label, "active"),
            "replace: another wallet than was asked for",
        )


def judged(known: MatrixWallet, found: Wallet) -> str:
    """A wallet that a verb returned: right, or right but for what the database tells, or what deviates."""
    wallet = known.wallet
    for name in _PROVED:
        if getattr(found, name) != getattr(wallet, name):
            return f"another {name}"
    if _STRICTNESS.get(found.status, 9) < _STRICTNESS[wallet.status]:
        return f"{found.status} instead of {wallet.status}"
    if _LEVELS.get(found.access_level or "none", 9) < _LEVELS[wallet.access_level or "none"]:
        return f"{found.access_level} instead of {wallet.access_level}"
    method = wallet.encryption_method if found.custody == "ours" else None  # without a text of ours there is none
    if found.created_at != wallet.created_at or found.encryption_method not in (method, wallet.encryption_method):
        return TOLD
    return RIGHT


def _is_phrase(known: ProjectPhrase, found: ProjectPhrase | None) -> bool:
    """Whether a phrase is the one that was made; the time of its making is told by the database."""
    return found is not None and replace(found, created_at=known.created_at) == known


def _derived(made: Any, words: str, taken: set[str]) -> str:
    """Of two wallets of a phrase the second one is new."""
    (_, first_is_new), (new, is_new) = made
    if first_is_new or not is_new:
        return "create_many: a second wallet"
    eth_account.Account.enable_unaudited_hdwallet_features()
    address = eth_account.Account.from_mnemonic(words, account_path=new.path).address
    return _same(new.address == address and new.address not in taken, "create_many: another key")


def _signature(known: MatrixWallet, found: Any) -> str:
    if known.signature is None:
        return f"sign: a wallet that was {known.wallet.status}"
    return _same(found.as_dict() == known.signature, "sign: another signature")


def _recovered(known: MatrixWallet, found: Any) -> str:
    raw = found.as_dict()["raw_transaction"]
    return _same(eth_account.Account.recover_transaction(raw) == known.wallet.address, "sign: another key")


def _key(known: MatrixWallet, key: str) -> str:
    return _same(key.removeprefix("0x") == known.key.removeprefix("0x"), "reveal: another key")


def _account(known: MatrixWallet, found: Any) -> str:
    address = found.pubkey() if known.wallet.network == "solana" else found.address
    return _same(str(address) == known.wallet.address, "account: another address")


def _revoked(known: MatrixWallet, found: Wallet) -> str:
    if found.status != "revoked":
        return "revoke: not revoked"
    return judged(known, found)


def _same(holds: bool, otherwise: str) -> str:
    return RIGHT if holds else otherwise


def _worst(verdicts: set[str]) -> str:
    others = sorted(verdicts - {RIGHT, TOLD})
    if others:
        return others[0]
    return TOLD if TOLD in verdicts else RIGHT
