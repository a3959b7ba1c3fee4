"""Where tables are divided, a verb that is given a project asks its part alone, or is named with a reason."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.databases.asked_parts import StatementRecorder
from testbed.databases.partitioned import partition
from testbed.databases.rows import execute
from testbed.processes.signing import transaction
from testbed.servers.postgres import PostgresServer

KEY = "43" * 32
WORDS = "test test test test test test test test test test test junk"
WHY: dict[str, Any] = {"actor": "operator", "reason": "a test"}
STRAYS = frozenset({"records_holding", "history_holding", "metadata_holding"})
KEYS_OF_OTHERS = frozenset(
    {
        *("key_of_another_project", "row_of_another_project", "keys_of_rows", "keys_of_records"),
        *("records_with_sealed", "entries_with_sealed", "metadata_with_sealed", "phrases_sealed_otherwise"),
    }
)
NAMED: dict[str, frozenset[str]] = {
    "import_wallet": frozenset({"find_by_address"}),
    "verify": frozenset({"shared_keys", "shared_key"}),
    "restore": STRAYS | KEYS_OF_OTHERS,
    "store_key": KEYS_OF_OTHERS,
    "move_key": KEYS_OF_OTHERS,
}
"""What a verb asks every part although it is given a project; docs/citus.md says why."""


class Scene:
    """A vault in divided tables, with wallets of several projects."""

    def __init__(self, vault: Vault, url: str) -> None:
        self.vault, self.url = vault, url
        self._keys = iter(range(1000, 2000))
        for _ in range(3):
            self.new()

    def new(self, network: str = "ethereum", **named: Any) -> Wallet:
        """The wallet of a new project, of a key that no other has."""
        return self.vault.import_wallet(uuid4(), network, private_key=f"{next(self._keys):064x}", **named).wallet

    def kept(self) -> Wallet:
        """One of which the history keeps a sealed text."""
        wallet = self.new()
        self.vault.rotate_sealing_key()
        assert [each.rewrapped for each in self.vault.rewrap(project_id=wallet.project_id)] == [True]
        return wallet

    def store(self, wallet: Wallet, text: str) -> None:
        """Let a text stand in the wallet's vault record."""
        self.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet.id
        )

    def forget(self, wallet: Wallet, *tables: str) -> None:
        """Take rows of a wallet away."""
        for table in tables:
            self.execute(
                f"DELETE FROM {table} WHERE {'id' if table == CREDENTIALS else 'credential_id'} = ?", wallet.id
            )

    def keep(self, wallet: Wallet, text: str) -> UUID:
        """Let the history keep a text of the legacy application."""
        entry = uuid4()
        self.execute(
            "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
            "vault_id, text, form, reason, created_at, schema_version) "
            f"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'foreign', 'r', now(), {SCHEMA_VERSION})",
            *(entry, wallet.project_id, wallet.id, wallet.network, wallet.label),
            *(wallet.address, wallet.public_key, wallet.vault_id, text),
        )
        return entry

    def execute(self, sql: str, *parameters: object) -> None:
        execute(self.url, sql, tuple(str(each) for each in parameters))


CREDENTIALS, VAULT_RECORDS, LOGS = "project_credentials", "credential_vault_storage", "credential_usage_logs"
Call = Callable[[], Any]
Case = Callable[[Scene], Call]


def _of(verb: str, *given: Any, network: str = "ethereum", **named: Any) -> Case:
    """A verb of a new wallet, by its id and its project."""

    def case(scene: Scene) -> Call:
        wallet = scene.new(network)
        return lambda: getattr(scene.vault, verb)(wallet.id, *given, project_id=wallet.project_id, **named)

    return case


def _in(verb: str, *given: Any, **named: Any) -> Case:
    """A verb of a project."""

    def case(scene: Scene) -> Call:
        project = scene.new(label="first").project_id
        return lambda: getattr(scene.vault, verb)(*given, project_id=project, **named)

    return case


def _failing(case: Case) -> Case:
    def failing(scene: Scene) -> Call:
        call = case(scene)

        def run() -> None:
            with pytest.raises(strongroom.StrongroomError):
                call()

        return run

    return failing


def _created_again(scene: Scene) -> Call:
    wallet = scene.new()
    return lambda: scene.vault.create_wallet(wallet.project_id, "ethereum", idempotency_key="k")


def _found_by_address(scene: Scene) -> Call:
    wallet = scene.new()
    return lambda: scene.vault.find_by_address(wallet.address, project_id=wallet.project_id)


def _verified(scene: Scene) -> Call:
    wallet = scene.new()
    return lambda: list(scene.vault.verify(wallet.id, project_id=wallet.project_id))


def _verified_project(scene: Scene) -> Call:
    wallet = scene.new()
    return lambda: list(scene.vault.verify(project_id=wallet.project_id))


def _signed_twice(scene: Scene, fee: int, **named: Any) -> Call:
    wallet = scene.new()
    scene.vault.sign_transaction(wallet, transaction(1, 10))
    return lambda: scene.vault.sign_transaction(wallet.id, transaction(1, fee), project_id=wallet.project_id, **named)


def _restored(scene: Scene, prepare: Callable[[Wallet], Any], **named: Any) -> Call:
    wallet = scene.kept()
    prepare(wallet)
    return lambda: scene.vault.restore(wallet.id, project_id=wallet.project_id, **named)


def _restore_entry(scene: Scene) -> Call:
    wallet = scene.kept()
    (entry,) = scene.vault.history(wallet).entries
    scene.store(wallet, "")
    return lambda: scene.vault.restore(wallet.id, project_id=wallet.project_id, entry=entry.id)


def _restore_foreign(scene: Scene) -> Call:
    wallet = scene.new()
    key = scene.vault.reveal(wallet, **WHY).private_key.reveal_text()
    scene.keep(wallet, key)
    scene.store(wallet, "")
    return lambda: scene.vault.restore(wallet.id, project_id=wallet.project_id)


def _restore_nothing(scene: Scene) -> Call:
    wallet = scene.new()
    scene.store(wallet, "")
    return lambda: scene.vault.restore(wallet.id, project_id=wallet.project_id)


def _store_missing(scene: Scene) -> Call:
    wallet = scene.new()
    key = scene.vault.reveal(wallet, **WHY).private_key.reveal_text()
    scene.store(wallet, "")
    return lambda: scene.vault.store_key(wallet.id, private_key=key, project_id=wallet.project_id)


def _overwritten(verb: str, **given: Any) -> Case:
    """A verb of a wallet whose key the history keeps, and that holds another one in plaintext."""

    def case(scene: Scene) -> Call:
        wallet = scene.kept()
        key = scene.vault.reveal(wallet, **WHY).private_key.reveal_text()
        scene.store(wallet, uuid4().hex * 2)
        named = {**given, **({"private_key": key} if verb == "store_key" else {})}
        return lambda: getattr(scene.vault, verb)(wallet.id, project_id=wallet.project_id, **named)

    return case


def _rewrapped(scene: Scene) -> Call:
    wallet = scene.kept()
    scene.vault.create_wallet(wallet.project_id, "ethereum", label="k", idempotency_key="k")
    scene.vault.sign_transaction(wallet, transaction(1, 10))
    scene.vault.rotate_sealing_key()
    return lambda: list(scene.vault.rewrap(project_id=wallet.project_id))


def _erased(scene: Scene) -> Call:
    wallet = scene.kept()
    vault, project = scene.vault, wallet.project_id
    vault.create_wallet(project, "ethereum", label="k", idempotency_key="k")
    gone, other = vault.create_wallet(project, "solana").wallet, scene.new()
    scene.forget(gone, LOGS, VAULT_RECORDS, CREDENTIALS)
    scene.execute(
        "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag) "
        "SELECT ?, network, 'planted', credential_id, version, kid, tag FROM strongroom_slot WHERE credential_id = ?",
        *(project, other.id),
    )
    for each in (wallet, other):
        scene.execute(
            "INSERT INTO strongroom_events (id, event, details, created_at) "
            """VALUES (gen_random_uuid(), 'accept', json_build_object('wallet', ?::text, 'actor', 'a'), now())""",
            each.id,
        )

    def erase() -> None:
        assert vault.erase_project(project, **WHY).complete

    return erase


def _phrase_of(scene: Scene) -> UUID:
    """A project with a phrase, and a wallet of it."""
    project = uuid4()
    scene.vault.create_phrase(project)
    scene.vault.create_wallet(project, "ethereum", label="derived", phrase="default")
    return project


def _derived(scene: Scene, verb: str, *given: Any, **named: Any) -> Call:
    """A verb of a wallet that was derived from a phrase of its project."""
    project = _phrase_of(scene)
    wallet = scene.vault.create_wallet(project, "ethereum", label="another", phrase="default").wallet
    return lambda: getattr(scene.vault, verb)(wallet.id, *given, project_id=project, **named)


def _again_in_an_account_that_was_lost(scene: Scene) -> Call:
    project = _phrase_of(scene)
    scene.execute("DELETE FROM strongroom_phrase_account WHERE project_id = ?", project)
    return lambda: scene.vault.create_wallet(project, "ethereum", label="next", phrase="default", idempotency_key="k")


def _erased_with_phrase(scene: Scene) -> Call:
    project = _phrase_of(scene)
    return lambda: scene.vault.erase_project(project, **WHY)


def _rewrapped_with_phrase(scene: Scene) -> Call:
    project = _phrase_of(scene)
    scene.vault.rotate_sealing_key()
    return lambda: list(scene.vault.rewrap(project_id=project))


def _verified_with_phrase(scene: Scene) -> Call:
    project = _phrase_of(scene)
    return lambda: list(scene.vault.verify(project_id=project, phrases=True))


def _with_phrase(verb: str, *given: Any, **named: Any) -> Case:
    """A verb of a project that has a phrase."""

    def case(scene: Scene) -> Call:
        project = _phrase_of(scene)
        return lambda: getattr(scene.vault, verb)(project, *given, **named)

    return case


CASES: dict[str, tuple[Case, ...]] = {
    "create_wallet": (
        lambda scene: lambda: scene.vault.create_wallet(uuid4(), "ethereum", idempotency_key="k"),
        _created_again,
        _with_phrase("create_wallet", "ethereum", label="other", phrase="default", idempotency_key="k"),
        _with_phrase("create_wallet", "ethereum", label="derived", phrase="default"),
        _again_in_an_account_that_was_lost,
    ),
    "create_wallets": (lambda scene: lambda: scene.vault.create_wallets(uuid4(), ["ethereum", "solana"]),),
    "import_wallet": (
        lambda scene: lambda: scene.vault.import_wallet(project_id=uuid4(), network="ethereum", private_key=KEY),
    ),
    "get_wallet": (
        _of("get_wallet"),
        _failing(lambda scene: lambda: scene.vault.get_wallet(uuid4(), project_id=uuid4())),
    ),
    "find_wallet": (
        _in("find_wallet", network="ethereum", label="first"),
        _in("find_wallet", network="ethereum", label="no"),
    ),
    "find_by_address": (_found_by_address,),
    "list_wallets": (
        _in("list_wallets"),
        _in("list_wallets", network="ethereum", limit=1),
        _in("list_wallets", search="fi"),
        _in("list_wallets", after=str(UUID(int=1))),
    ),
    "count_wallets": (_in("count_wallets"),),
    "verify": (_verified, _verified_project, _verified_with_phrase),
    "reveal": (_of("reveal", **WHY),),
    "export_keystore": (_of("export_keystore", password="x" * 12, **WHY),),
    "account": (_of("account"),),
    "sign": (
        _of("sign", "message", b"x"),
        _failing(_of("sign", "no such kind", b"x")),
        _failing(_of("sign", "message", 5)),
        _failing(_of("sign", "digest", b"x")),
    ),
    "sign_message": (_of("sign_message", b"x"), _of("sign_message", b"x", network="solana")),
    "sign_typed_data": (_failing(_of("sign_typed_data", {})),),
    "sign_transaction": (
        _of("sign_transaction", transaction(1, 10)),
        lambda scene: _signed_twice(scene, 10),
        lambda scene: _signed_twice(scene, 40, replace=True),
        _failing(lambda scene: _signed_twice(scene, 15)),
    ),
    "sign_authorization": (_of("sign_authorization", {"chainId": 1, "address": "0x" + "22" * 20, "nonce": 7}),),
    "sign_psbt": (_failing(_of("sign_psbt", b"x", network="bitcoin")),),
    "dangerously_sign_digest": (_of("dangerously_sign_digest", b"\x01" * 32),),
    "store_key": (
        _failing(_of("store_key", private_key=KEY)),
        _store_missing,
        _overwritten("store_key", archive_current=True),
    ),
    "move_key": (
        _overwritten("move_key", to="history"),
        _overwritten("move_key", to="wallet", label="found"),
        _failing(_of("move_key", to="history")),
    ),
    "replace_wallet": (
        _of("replace_wallet"),
        _of("replace_wallet", idempotency_key="k"),
        lambda scene: _derived(scene, "replace_wallet"),
    ),
    "revoke_wallet": (_of("revoke_wallet"), lambda scene: _derived(scene, "revoke_wallet")),
    "history": (_of("history"),),
    "restore": (
        _of("restore"),
        lambda scene: _restored(scene, lambda wallet: scene.store(wallet, "")),
        lambda scene: _restored(scene, lambda wallet: scene.forget(wallet, VAULT_RECORDS)),
        lambda scene: _restored(scene, lambda wallet: scene.forget(wallet, LOGS, VAULT_RECORDS, CREDENTIALS)),
        _restore_entry,
        _restore_foreign,
        _failing(_restore_nothing),
        _failing(_overwritten("restore")),
        _overwritten("restore", archive_current=True),
        _failing(lambda scene: lambda: scene.vault.restore(uuid4(), project_id=uuid4())),
    ),
    "list_log": (_in("list_log"), _of("list_log")),
    "rewrap": (_rewrapped, _rewrapped_with_phrase),
    "count_pending_rewraps": (_in("count_pending_rewraps"),),
    "erase_project": (_erased, _erased_with_phrase),
    "create_phrase": (lambda scene: lambda: scene.vault.create_phrase(uuid4(), idempotency_key="k"),),
    "import_phrase": (lambda scene: lambda: scene.vault.import_phrase(uuid4(), mnemonic=WORDS),),
    "find_phrase": (_with_phrase("find_phrase"),),
    "get_phrase": (_with_phrase("get_phrase"),),
    "list_phrases": (_with_phrase("list_phrases"),),
    "list_accounts": (_with_phrase("list_accounts"),),
    "reveal_phrase": (_with_phrase("reveal_phrase", **WHY),),
    "verify_phrases": (lambda scene: lambda: list(scene.vault.verify_phrases(_phrase_of(scene))),),
    "replace_phrase": (_with_phrase("replace_phrase"), _with_phrase("replace_phrase", idempotency_key="k")),
    "create_many": (
        _with_phrase("create_many", "ethereum", count=3, label_prefix="m-"),
        _with_phrase("create_many", "ethereum", ["derived", "x"]),
    ),
    "advance_phrase": (_with_phrase("advance_phrase", "ethereum", 9, **WHY),),
    "export_xpub": (
        _with_phrase("export_xpub", "ethereum", **WHY),
        _failing(_with_phrase("export_xpub", "solana", **WHY)),
    ),
    "discover": (_with_phrase("discover", "ethereum", is_used=lambda _: False),),
}
"""Every verb that can be given a project, in the ways that differ in what they ask."""
ELSEWHERE = {"reveal_kept", "reveal_kept_text"}
"""They look for a text by its own id."""


@pytest.fixture(scope="module")
def scene(postgres: PostgresServer, root_key_uri: str) -> Iterator[Scene]:
    """Its tables have 8 parts each, whatever the other tests run on."""
    url = postgres.create_database("asked_parts")
    strongroom.init(url, root_key=root_key_uri).close()
    partition(url, 8)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        yield Scene(vault, url)
    postgres.drop_database("asked_parts")


def test_the_verbs_are_all_that_can_be_given_a_project() -> None:
    verbs = {name: verb for name, verb in inspect.getmembers(Vault, callable) if not name.startswith("_")}
    assert {name for name, verb in verbs.items() if "project_id" in inspect.signature(verb).parameters} == {
        *CASES,
        *ELSEWHERE,
    }


@pytest.mark.parametrize("verb", CASES)
def test_a_verb_asks_the_part_of_the_project_that_it_is_given(verb: str, scene: Scene) -> None:
    recorder, asked = StatementRecorder(scene.url, scene.vault._context.store.context), dict[str, Any]()  # type: ignore[attr-defined]
    for case in CASES[verb]:
        call = case(scene)
        with recorder.recording() as found:
            call()
        asked |= found
    assert set(asked) == NAMED.get(verb, frozenset()), asked


def test_the_documentation_names_the_same_verbs() -> None:
    text = Path("docs/citus.md").read_text()
    (section,) = re.findall(r"\| verb \|.*?\n\n", text, re.DOTALL)
    verbs = [line.split("|")[1] for line in section.strip().splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(verbs))) == {*NAMED, *ELSEWHERE}
