"""Wallet tables as frameworks and teams make them: enums, text ids, times as numbers, columns of their own.

For each strongroom works, or `init` refuses with table, column, its type and the type that works, and the SQL that
helps; then it works. It never fails later with a bare SQLSTATE.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call
from testbed.databases import foreign
from testbed.databases.foreign import FOREIGN_TEXT, address_of, catalogue, contents, run_script
from testbed.databases.rows import execute
from tests.integration import doctors

KEY, OTHER_KEY, THIRD_KEY = "46" * 32, "47" * 32, "48" * 32
TRANSACTION = {
    "chainId": 1,
    "nonce": 0,
    "to": "0x00000000000000000000000000000000000000aa",
    "value": 1,
    "gas": 21_000,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 1,
}
REFUSED = {
    "bigint_ids": (
        "project_credentials.id is bigint; uuid or text works",
        "project_credentials.project_id is bigint; uuid or text works",
        "credential_vault_storage.credential_id is bigint; uuid or text works",
        "credential_usage_logs.credential_id is bigint; uuid or text works",
    ),
    "strict_columns": ("project_credentials.organization_id is uuid NOT NULL without a default",),
}
BACKENDS = ("enum_columns", "strict_columns", "text_times_and_ids", "numbered_logs")
"""Those that work: some after the SQL that the refusal prints."""
NUMBERED_LOGS = """
ALTER TABLE credential_usage_logs DROP COLUMN id;
ALTER TABLE credential_usage_logs ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
ALTER TABLE credential_usage_logs ALTER COLUMN performed_by TYPE bigint USING NULL;
CREATE DOMAIN wallet_state AS varchar(20) CHECK (VALUE <> '');
ALTER TABLE project_credentials ALTER COLUMN status TYPE wallet_state, ALTER COLUMN is_active DROP DEFAULT;
DROP INDEX unique_active_project_credentials;
ALTER TABLE project_credentials ALTER COLUMN is_active TYPE smallint USING is_active::int;
ALTER TABLE project_credentials ALTER COLUMN is_active SET DEFAULT 1, ALTER COLUMN created_at DROP DEFAULT;
ALTER TABLE project_credentials ALTER COLUMN created_at TYPE integer USING extract(epoch FROM created_at)::int;
"""
"""Generation 3 with a usage log that the database numbers, an actor that is a number, a domain, a flag of 0 and 1."""


# --- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("backend", REFUSED)
def test_init_and_doctor_name_the_column_its_type_and_what_works(
    make_legacy: Callable[..., str], root_key_uri: str, backend: str
) -> None:
    url = make_legacy(backend)
    before = (catalogue(url), contents(url))
    with pytest.raises(strongroom.ForeignSchemaError) as refused:
        strongroom.init(url, root_key=root_key_uri)
    assert (catalogue(url), contents(url)) == before
    found = doctors.document(url)
    evidence = [each["evidence"] for each in found["schema"] if each["code"] == "column-type"]
    for said in REFUSED[backend]:
        assert said in str(refused.value)
        assert [text for text in evidence if text.startswith(said)]
    assert evidence
    assert (catalogue(url), contents(url)) == before


def test_init_and_doctor_name_what_is_too_short_for_every_wallet(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g3")
    short = {
        ("credential_vault_storage", "encrypted_private_key"): 255,
        ("credential_vault_storage", "vault_id"): 36,
        ("credential_usage_logs", "action_type"): 3,
    }
    for (table, column), length in short.items():
        run_script(url, f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length})")
    run_script(url, "ALTER TABLE project_credentials ALTER COLUMN network TYPE varchar(20)")
    with pytest.raises(strongroom.ForeignSchemaError) as refused:
        strongroom.init(url, root_key=root_key_uri)
    evidence = [each["evidence"] for each in doctors.document(url)["schema"] if each["code"] == "column-type"]
    assert len(evidence) == len(short)
    for (table, column), length in short.items():
        said = f"{table}.{column} is character varying({length}); "
        assert said in refused.value.message
        assert [text for text in evidence if text.startswith(said)]
    run_script(url, refused.value.hint.partition("\n")[2])
    with strongroom.init(url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(foreign.add_project(url), "ethereum").created
    assert "column-type" not in doctors.codes(doctors.document(url))


def test_doctor_calls_nothing_automatic_that_no_repair_can_name(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("bigint_ids")
    address = address_of("ethereum", KEY)
    execute(url, "INSERT INTO projects (name) VALUES ('a project')")
    execute(
        url,
        "INSERT INTO project_credentials (project_id, wallet_address, public_key, key_vault_id) VALUES (1, ?, ?, 'v')",
        (address, address),
    )
    execute(
        url,
        "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) VALUES (1, 'v', ?)",
        (KEY,),
    )
    found = doctors.document(url)
    assert doctors.codes(found)["plaintext-key"] == 1
    assert {(each["repair"], each["automatic"]) for each in found["findings"]} == {("ask", False)}
    assert "strongroom repair" not in call("doctor", "--database", url).out


def test_doctor_promises_no_repair_where_a_column_has_to_be_changed_first(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("strict_columns")
    project = foreign.add_project(url)
    run_script(url, "ALTER TABLE project_credentials ALTER COLUMN organization_id SET DEFAULT gen_random_uuid()")
    foreign.add_wallet(url, address_of("ethereum", KEY), KEY, project_id=project)
    run_script(url, "ALTER TABLE project_credentials ALTER COLUMN organization_id DROP DEFAULT")
    found = doctors.document(url)
    assert doctors.codes(found)["plaintext-key"] == 1
    assert not [each for each in found["findings"] if each["automatic"] or "repair" in each["command"]]
    told = call("doctor", "--database", url).out
    assert "First: treat the keys in plaintext as seen; change the columns that column-type names" in told
    assert "strongroom repair" not in told
    run_script(url, "ALTER TABLE project_credentials ALTER COLUMN organization_id DROP NOT NULL")
    strongroom.init(url, root_key=root_key_uri).close()
    assert [each["automatic"] for each in doctors.document(url)["findings"] if each["code"] == "plaintext-key"] == [
        True
    ]


def test_a_trigger_may_fill_what_has_no_default(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("strict_columns")
    run_script(
        url,
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "NEW.organization_id := coalesce(NEW.organization_id, gen_random_uuid()); RETURN NEW; END $$;"
        "CREATE TRIGGER fill BEFORE INSERT ON project_credentials FOR EACH ROW EXECUTE FUNCTION fill()",
    )
    project = foreign.add_project(url)
    with strongroom.init(url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(project, "ethereum").created


def test_a_column_that_comes_later_is_named_where_a_wallet_is_made(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    """A vault that works goes on signing; no new wallet is written, and nothing else."""
    url = make_legacy("g3", initialised=True)
    project = foreign.add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        run_script(url, "ALTER TABLE project_credentials ADD COLUMN tenant integer NOT NULL DEFAULT 1")
        run_script(url, "ALTER TABLE project_credentials ALTER COLUMN tenant DROP DEFAULT")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        before = contents(url)
        with pytest.raises(strongroom.ForeignSchemaError, match=r"project_credentials\.tenant is integer NOT NULL"):
            vault.create_wallet(project, "solana")
        assert contents(url) == before
        assert vault.sign_message(wallet, "hello")
        run_script(url, "ALTER TABLE project_credentials ALTER COLUMN tenant SET DEFAULT 1")
        assert vault.create_wallet(project, "solana").created  # in the same process


# --- a whole life --------------------------------------------------------------------------------------------


class TypedDatabase:
    """A database on which a vault works."""

    def __init__(self, url: str, root_key: str) -> None:
        self.url = url
        self.root_key = root_key

    def project(self) -> UUID:
        project = uuid4()
        execute(self.url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (str(project),))
        return project

    def legacy_wallet(self, project: UUID, key: str, text: str | None) -> UUID:
        """A credential of the legacy application, as that writes it on this backend."""
        wallet, address = uuid4(), address_of("ethereum", key)
        execute(
            self.url,
            "INSERT INTO project_credentials (id, project_id, wallet_address, public_key, key_vault_id, network, "
            "credential_type, is_active) VALUES (?, ?, ?, ?, ?, 'ethereum', 'ethereum_wallet', DEFAULT)",
            (str(wallet), str(project), address, address, str(wallet)),
        )
        if text is not None:
            execute(
                self.url,
                "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key, access_level) "
                "VALUES (?, ?, ?, 'project_admin')",
                (str(wallet), str(wallet), text),
            )
        return wallet

    def run(self, command: str, *options: str) -> Any:
        answer = call(command, "--database", self.url, "--root-key", self.root_key, *options)
        assert "Traceback" not in answer.out + answer.err
        assert "SQLSTATE" not in answer.out + answer.err
        return answer


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, make_legacy: Callable[..., str], root_key_uri: str) -> TypedDatabase:
    """A backend, initialised; where `init` refuses it, after the SQL that the refusal prints."""
    url = make_legacy("g3" if request.param == "numbered_logs" else request.param)
    if request.param == "numbered_logs":
        run_script(url, NUMBERED_LOGS)
    try:
        strongroom.init(url, root_key=root_key_uri).close()
    except strongroom.ForeignSchemaError as refused:
        run_script(url, refused.hint.partition("\n")[2])
        strongroom.init(url, root_key=root_key_uri).close()
    return TypedDatabase(url, root_key_uri)


@pytest.fixture
def vault(backend: TypedDatabase) -> Iterator[Vault]:
    with strongroom.open(backend.url, root_key=backend.root_key) as opened:
        for warning in opened.status().store.warnings:
            if "ALTER TYPE" in warning:  # what an enum lacks, with the SQL that adds it
                with psycopg.connect(backend.url, autocommit=True) as connection:
                    for statement in warning[warning.index("ALTER TYPE") :].split(";")[:-1]:
                        connection.execute(statement.encode())
        yield opened


def test_a_wallet_lives_from_its_creation_to_its_revocation(backend: TypedDatabase, vault: Vault) -> None:
    project = backend.project()
    maker = str(uuid4())
    wallet, created = vault.create_wallet(project, "ethereum", actor=maker, reason="a test")
    made = (
        "SELECT performed_by::text, action_details::text FROM credential_usage_logs WHERE action_type::text = 'create'"
    )
    assert maker in str(execute(backend.url, made))
    assert created
    again = vault.create_wallet(project, "ethereum")
    assert again == (wallet, False)
    keyed = vault.create_wallet(project, "solana", idempotency_key="once").wallet
    assert vault.create_wallet(project, "solana", idempotency_key="once").wallet.id == keyed.id
    cold = vault.create_wallet(project, "bitcoin", label="cold").wallet
    found = vault.find_wallet(project, "ethereum")
    assert found == wallet == vault.get_wallet(wallet.id) == vault.find_by_address(wallet.address, project_id=project)
    assert {each.id for each in vault.list_wallets(project).wallets} == {wallet.id, keyed.id, cold.id}
    assert vault.list_wallets(project, network="bitcoin").wallets[0].id == cold.id
    assert vault.count_wallets(project) == 3

    someone = str(uuid4())
    assert vault.sign_message(wallet, "hello", actor=someone)
    written = "SELECT count(*) FROM credential_usage_logs WHERE performed_by::text = ? OR action_details::text LIKE ?"
    assert execute(backend.url, written, (someone, f'%"actor": "{someone}"%')) == [(1,)]
    signed = vault.sign_transaction(wallet, TRANSACTION)
    assert vault.sign_transaction(wallet, TRANSACTION) == signed
    with pytest.raises(strongroom.NonceConflictError):
        vault.sign_transaction(wallet, {**TRANSACTION, "value": 2})
    faster = {**TRANSACTION, "maxFeePerGas": 2 * 10**9, "maxPriorityFeePerGas": 2}
    assert vault.sign_transaction(wallet, faster, replace=True) != signed

    log = vault.list_log(wallet=wallet.id, limit=2)
    assert {record.wallet_id for record in log.records} == {str(wallet.id)}
    assert log.next is not None
    older = vault.list_log(wallet=wallet.id, after=log.next)
    assert [record.action for record in older.records][-1] == "create"
    assert [record.at for record in vault.list_log(project_id=project, action="create").records]
    assert vault.list_projects().projects[0].id == project

    new = vault.replace_wallet(wallet).wallet
    assert vault.get_wallet(wallet.id).status == "replaced"
    assert vault.sign_message(wallet.id, "hello", allow_retired=True)
    vault.rotate_sealing_key()
    assert {result.error for result in vault.rewrap()} == {None}
    vault.revoke_wallet(new.id, actor=str(uuid4()))
    with pytest.raises(strongroom.WalletRevokedError):
        vault.sign_message(new.id, "hello")
    assert [result.code for result in vault.verify(phrases=True)] == [None] * 4
    assert len(vault.history(wallet.id).entries) == 3
    assert vault.reveal(wallet.id, actor="a", reason="r").mnemonic is not None
    assert {"replaced", "revoked"} < set(vault.status().store.wallets)

    vault.erase_project(project, actor="a person", reason="asked for")
    assert execute(backend.url, written, (someone, f'%"actor": "{someone}"%')) == [(0,)]
    assert {result.code for result in vault.verify()} == {None}


@pytest.mark.thorough(sample=1)
def test_wallets_of_the_legacy_application_are_adopted_filled_and_repaired(
    backend: TypedDatabase, vault: Vault, private_path: Path
) -> None:
    project, other = backend.project(), backend.project()
    adopted = backend.legacy_wallet(project, KEY, KEY)
    assert vault.create_wallet(project, "ethereum").wallet.id == adopted
    missing = backend.legacy_wallet(other, OTHER_KEY, None)
    with pytest.raises(strongroom.KeyMissingError):
        vault.create_wallet(other, "ethereum")
    assert vault.store_key(missing, private_key=OTHER_KEY).stored
    assert vault.create_wallet(other, "ethereum").wallet.id == missing

    found = backend.run("doctor", "--json").document
    automatic = {(each["code"], each["credential_id"]) for each in found["findings"] if each["automatic"]}
    assert ("plaintext-key", str(adopted)) in automatic
    plan = private_path / "plan.json"
    assert backend.run("repair", "--plan", str(plan)).code == 0
    assert backend.run("repair", "--apply", str(plan)).code == 0
    assert backend.run("doctor", "--json").document["findings"] == []
    assert vault.sign_message(adopted, "hello")
    assert [result.code for result in vault.verify()] == [None, None]


def test_every_automatic_finding_is_in_the_plan_or_among_what_is_left(
    make_legacy: Callable[..., str], root_key_uri: str, private_path: Path
) -> None:
    """Text ids that are no UUIDs, or are written in capitals: doctor reads them, and strongroom cannot name them."""
    url = make_legacy("text_times_and_ids")
    strongroom.init(url, root_key=root_key_uri).close()
    backend = TypedDatabase(url, root_key_uri)
    project = str(backend.project())
    shared = str(uuid4())
    ids = ("user_42", str(uuid4()).upper(), str(uuid4()))
    for wallet, key in zip(ids, (KEY, OTHER_KEY, THIRD_KEY), strict=True):
        address = address_of("ethereum", key)
        execute(
            url,
            "INSERT INTO project_credentials (id, project_id, wallet_address, public_key, key_vault_id, network) "
            "VALUES (?, ?, ?, ?, ?, 'ethereum')",
            (wallet, project, address, address, shared),
        )
        execute(
            url,
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) VALUES (?, ?, ?)",
            (wallet, str(uuid4()), key),
        )
    found = backend.run("doctor", "--json").document
    automatic = {(each["code"], each["row"]) for each in found["findings"] if each["automatic"]}
    assert {code for code, _ in automatic} >= {"plaintext-key", "shared-key-vault-id", "stored-flag-wrong"}
    path = private_path / "plan.json"
    assert backend.run("repair", "--plan", str(path)).code == 0
    assert automatic <= planned(path)
    assert backend.run("repair", "--apply", str(path)).code == 0
    texts = dict(execute(url, "SELECT credential_id, encrypted_private_key FROM credential_vault_storage"))
    assert texts["user_42"] == KEY
    assert texts[ids[2]].startswith("eyJraWQiOi")


def planned(path: Path) -> set[tuple[str, str]]:
    """Code and row of all that a plan holds, and of all that it leaves to people."""
    document = json.loads(path.read_text())
    actions = {(action["code"], action["row"]) for unit in document["units"] for action in unit["actions"]}
    return actions | {(each["code"], each["row"]) for each in document["left_to_people"]}


# --- enums ---------------------------------------------------------------------------------------------------


def test_an_enum_that_lacks_a_word_is_named_with_the_sql_that_adds_it(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("enum_columns")
    project = foreign.add_project(url)
    init = call("init", "--database", url, "--root-key", root_key_uri)
    assert "ALTER TYPE public.usage_action ADD VALUE IF NOT EXISTS 'revoke'" in init.err
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        assert vault.sign_message(wallet, "hello")
        with pytest.raises(strongroom.CheckRefusesError, match=r"public\.wallet_status lacks: replaced") as refused:
            vault.replace_wallet(wallet)
        assert "ADD VALUE IF NOT EXISTS 'replaced'" in refused.value.hint
        with pytest.raises(strongroom.CheckRefusesError, match=r"of project_credentials\.network lacks") as chain:
            vault.create_wallet(project, "base")
        assert "ADD VALUE IF NOT EXISTS 'base'" in chain.value.hint
        vault.rotate_sealing_key()
        texts = foreign.texts_of(url, wallet.id)
        with pytest.raises(strongroom.CheckRefusesError, match="rewrap"):
            list(vault.rewrap())
        assert foreign.texts_of(url, wallet.id) == texts
    evidence = [each["evidence"] for each in doctors.document(url)["schema"] if each["code"] == "column-type"]
    assert len(evidence) == 2
    assert any("status is of the enum public.wallet_status, which lacks: replaced" in text for text in evidence)


def test_a_plan_leaves_what_an_enum_would_refuse_with_the_sql_that_helps(
    make_legacy: Callable[..., str], root_key_uri: str, private_path: Path
) -> None:
    url = make_legacy("enum_columns")
    wallet = foreign.add_wallet(url, address_of("ethereum", KEY), KEY)
    options = ("--database", url, "--root-key", root_key_uri)
    strongroom.init(url, root_key=root_key_uri).close()
    assert "First: treat the keys in plaintext as seen; change the columns" in call("doctor", *options).out
    plan = private_path / "plan.json"
    assert call("repair", "--plan", str(plan), *options).code in (0, 3)
    document = json.loads(plan.read_text())
    assert document["units"] == []
    (left,) = [each for each in document["left_to_people"] if each["code"] == "plaintext-key"]
    sql = "ALTER TYPE public.usage_action ADD VALUE IF NOT EXISTS 'repair';"
    assert sql in left["evidence"]
    execute(url, sql)
    plan.unlink()
    call("repair", "--plan", str(plan), *options)
    assert len(json.loads(plan.read_text())["units"]) == 1
    answer = call("repair", "--apply", str(plan), *options)
    assert answer.code == 0, answer
    assert str(foreign.texts_of(url, wallet)[0]).startswith("eyJ")


def test_a_command_that_an_enum_would_refuse_is_named_after_the_sql_that_helps(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("enum_columns")
    wallet = foreign.add_wallet(url, address_of("ethereum", KEY), "3a" * 32)
    strongroom.init(url, root_key=root_key_uri).close()
    options = ("--root-key", root_key_uri)
    document = doctors.document(url, *options)
    [found] = [each for each in document["findings"] if each["code"] == "plaintext-key"]
    move = f"strongroom wallet move-key {wallet} --to history"
    assert (found["command"], f"first the SQL that column-type prints, then: `{move}`" in found["evidence"]) == (
        "",
        True,
    )
    for each in document["schema"]:
        if each["code"] == "column-type":
            for sql in re.findall("ALTER TYPE [^;]+;", each["evidence"]):
                execute(url, sql)
    [found] = [each for each in doctors.document(url, *options)["findings"] if each["code"] == "plaintext-key"]
    assert found["command"] == move
    assert call(*move.split()[1:], "--database", url, *options).code == 0


def test_the_guard_works_on_enums_and_says_which_ids_it_needs(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    for name, code in (("enum_columns", 0), ("text_times_and_ids", 1)):
        url = make_legacy(name)
        strongroom.init(url, root_key=root_key_uri).close()
        answer = call("guard", "--install", "--mode", "archive", "--database", url)
        assert answer.code == code
        if code:
            assert "needs columns of type uuid: project_credentials.id" in answer.err
            continue
        wallet = foreign.add_wallet(url, address_of("ethereum", KEY), FOREIGN_TEXT)
        foreign.put_text(url, wallet, "another text")
        assert foreign.kept_texts(url, wallet) == [FOREIGN_TEXT]
