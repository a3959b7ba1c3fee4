"""Where something stands that strongroom does not write, and so does not read, no missing key is called lost."""

from __future__ import annotations

import base64
import json
from uuid import UUID, uuid4

import pytest

from strongroom import Wallet
from strongroom.takeover.doctor import wanted_keys
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.guards import put
from tests.integration.test_keys_that_phrases_have import WORDS, key_at
from tests.integration.test_stray_phrases import chosen, derived, told, wipe

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)


def text_of(attacked: Attacked, wallet: UUID) -> str:
    [(text,)] = attacked.deployment.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", wallet
    )
    return str(text)


def lost_one(attacked: Attacked) -> tuple[Wallet, Wallet, str]:
    """A wallet whose key is nowhere, another one of another project, and the text of the first."""
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(attacked.deployment.project(), "ethereum").wallet
        other = vault.create_wallet(attacked.deployment.project(), "solana").wallet
    text = text_of(attacked, wallet.id)
    wipe(attacked, wallet.id)
    assert told(attacked, wallet)["repair"] == "none"
    return wallet, other, text


def entry(attacked: Attacked, wallet: Wallet, text: str, form: str, reason: str) -> None:
    attacked.deployment.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) "
        "VALUES (?, ?, ?, 'ethereum', 'x', ?, '', '', ?, ?, ?, '2026-01-01T00:00:00+00:00', 9)",
        *(uuid4(), wallet.project_id, wallet.id, wallet.address, text, form, reason),
    )


@pytest.mark.parametrize("how", ["as it is", "in quotes", "in base64"])
@pytest.mark.parametrize("kind", [("sealed", "rewrap"), ("sealed", "repair"), ("foreign", "repair"), ("foreign", "x")])
def test_an_entry_under_another_wallet_counts_whatever_it_calls_itself(
    attacked: Attacked, kind: tuple[str, str], how: str
) -> None:
    wallet, other, text = lost_one(attacked)
    written = {"as it is": text, "in quotes": f'"{text}"', "in base64": base64.b64encode(text.encode()).decode()}[how]
    entry(attacked, other, written, *kind)
    assert told(attacked, wallet)["repair"] == "ask"


@pytest.mark.parametrize("table", ["strongroom_phrase.label", "strongroom_events.details", "project_credentials"])
def test_a_sealed_text_in_another_column_is_told_of(attacked: Attacked, table: str) -> None:
    wallet, other, text = lost_one(attacked)
    cast = "?" if attacked.deployment.backend == "sqlite" else "CAST(? AS jsonb)"
    if table.endswith("label"):
        with attacked.deployment.open() as vault:
            vault.create_phrase(other.project_id)
        attacked.deployment.execute("UPDATE strongroom_phrase SET label = ?", text)
    elif table.endswith("details"):
        attacked.deployment.execute(f"UPDATE strongroom_events SET details = {cast}", json.dumps({"x": text}))
    else:
        attacked.deployment.execute("UPDATE project_credentials SET public_key = ? WHERE id = ?", text, other.id)
    found = told(attacked, wallet)
    assert found["repair"] == "ask"
    assert table.partition(".")[0] in found["evidence"]


@pytest.mark.parametrize("text", ["words in its place", '"{}"', "x{}"])
def test_a_text_in_a_phrases_row_that_is_no_sealed_one_counts(attacked: Attacked, text: str) -> None:
    wallet, phrase, _ = derived(attacked)
    [(sealed,)] = attacked.deployment.execute("SELECT sealed_text FROM strongroom_phrase")
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ?", text.format(sealed))
    assert told(attacked, wallet)["repair"] == "ask"
    [broken] = [each for each in attacked.doctor() if each["code"] == "phrase-broken"]
    assert (broken["row"], broken["repair"], broken["command"]) == (str(phrase), "ask", "")


def test_a_text_with_white_space_around_it_is_sealed_anew(attacked: Attacked) -> None:
    wallet, _, key = derived(attacked)
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = sealed_text || ?", " \n")
    assert attacked.apply(attacked.plan()).code == 0
    with attacked.deployment.open() as vault:
        vault.restore(wallet.id)
        assert vault.reveal(wallet.id, **WHO).private_key.reveal_text() == key


def test_an_import_writes_over_no_text_that_is_no_sealed_one(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.import_phrase(project, mnemonic=WORDS)
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = 'the only text of something'")
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    answer = call(
        "phrase", "import", "default", "--project", str(project), "--mnemonic-stdin", *base, stdin=WORDS.encode()
    )
    assert "key-conflict" in answer.err
    assert attacked.deployment.execute("SELECT sealed_text FROM strongroom_phrase") == [("the only text of something",)]
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ''")
    assert (
        call(
            "phrase", "import", "default", "--project", str(project), "--mnemonic-stdin", *base, stdin=WORDS.encode()
        ).code
        == 0
    )


def test_a_text_that_many_forged_entries_hide_is_found(attacked: Attacked) -> None:
    wallet, phrase, _ = derived(attacked)
    with attacked.deployment.open() as vault:
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
    [(text,)] = attacked.deployment.execute("SELECT text FROM strongroom_vault_history WHERE credential_id = ?", phrase)
    for _ in range(120):
        attacked.deployment.execute(
            "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
            "vault_id, text, form, reason, created_at, schema_version) "
            "VALUES (?, ?, ?, 'phrase', 'x', 'x', '', '', ?, 'sealed', 'rewrap', '2030-01-01T00:00:00+00:00', 9)",
            *(UUID(int=(1 << 128) - 2 - _), wallet.project_id, phrase, f"{text[:-4]}AAAA"),
        )
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ''")
    [broken] = [each for each in attacked.doctor() if each["code"] == "phrase-broken"]
    assert broken["repair"] == "fill"


def test_a_text_in_the_row_of_another_phrase_comes_back_where_that_row_is_genuine(attacked: Attacked) -> None:
    wallet, phrase, key = derived(attacked)
    with attacked.deployment.open() as vault:
        other = vault.create_phrase(wallet.project_id, label="other").phrase
    [(text,)] = attacked.deployment.execute("SELECT sealed_text FROM strongroom_phrase WHERE phrase_id = ?", phrase)
    attacked.deployment.execute("DELETE FROM strongroom_phrase WHERE phrase_id = ?", phrase)
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ? WHERE phrase_id = ?", text, other.id)
    assert attacked.apply(chosen(attacked)).code == 0
    with attacked.deployment.open() as vault:
        vault.restore(wallet.id)
        assert vault.reveal(wallet.id, **WHO).private_key.reveal_text() == key


def test_a_row_whose_label_was_taken_meanwhile_comes_back_as_replaced(attacked: Attacked) -> None:
    wallet, phrase, key = derived(attacked)
    attacked.deployment.execute("UPDATE strongroom_phrase SET project_id = ?", attacked.deployment.project())
    with attacked.deployment.open() as vault:
        vault.create_phrase(wallet.project_id)
    assert attacked.apply(attacked.plan()).code == 0
    with attacked.deployment.open() as vault:
        assert vault.get_phrase(wallet.project_id, phrase).status == "replaced"
        vault.restore(wallet.id)
        assert vault.reveal(wallet.id, **WHO).private_key.reveal_text() == key


@pytest.mark.parametrize("kind", ["sealed", "in plaintext"])
@pytest.mark.parametrize("same_project", [True, False])
def test_a_wallets_phrase_has_the_keys_of_later_indices(attacked: Attacked, kind: str, same_project: bool) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=key_at("ethereum", "m/44'/60'/0'/0/3")).wallet
        where = project if same_project else attacked.deployment.project()
        host = vault.import_wallet(where, "ethereum", label="main", mnemonic=WORDS).wallet
    wipe(attacked, wallet.id)
    if kind == "in plaintext":
        put(attacked.deployment, host.id, WORDS)
    found = told(attacked, wallet)
    assert (found["repair"], "a key for its address is stored in" in found["evidence"]) == ("ask", True)


def test_where_more_phrases_are_there_than_are_derived_nothing_is_lost(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, _, _ = lost_one(attacked)
    with attacked.deployment.open() as vault:
        vault.import_wallet(attacked.deployment.project(), "ethereum", mnemonic=WORDS)
    assert told(attacked, wallet)["repair"] == "none"
    monkeypatch.setattr(wanted_keys, "MOST_PHRASES", 0)
    assert "more phrases of wallets are there than were derived" in told(attacked, wallet)["evidence"]


def test_a_phrase_of_another_project_has_the_keys_of_later_indices(attacked: Attacked) -> None:
    with attacked.deployment.open() as vault:
        vault.import_phrase(attacked.deployment.project(), mnemonic=WORDS)
        key = key_at("ethereum", "m/44'/60'/0'/0/7")
        wallet = vault.import_wallet(attacked.deployment.project(), "ethereum", private_key=key).wallet
    wipe(attacked, wallet.id)
    assert "at m/44'/60'/0'/0/7" in told(attacked, wallet)["evidence"]


@pytest.mark.parametrize("where", ["record", "entry"])
def test_a_text_behind_the_longest_that_is_read_counts(attacked: Attacked, where: str) -> None:
    wallet, other, text = lost_one(attacked)
    long = "x" * 70_000 + " " + text
    if where == "record":
        put(attacked.deployment, other.id, long)
    else:
        entry(attacked, other, long, "foreign", "guard-update")
    assert told(attacked, wallet)["repair"] == "ask"


@pytest.mark.parametrize("form", ["foreign", "sealed"])
def test_an_id_that_is_none_is_not_printed(attacked: Attacked, form: str) -> None:
    wallet, other, text = lost_one(attacked)
    secret = "enlist essence novel wonder give inquiry"
    entry(attacked, other, text, form, "guard-update")
    entry(attacked, wallet, "U2FsdGVkX1" + "A" * 40, form, "guard-update")
    if attacked.deployment.backend == "sqlite":
        attacked.deployment.execute("UPDATE strongroom_vault_history SET id = ? || rowid", secret)
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    said = call("doctor", *base, "--json").out + call("doctor", *base).out
    assert secret not in said
    assert told(attacked, wallet)["repair"] == "ask"


@pytest.mark.parametrize("column", ["public_key", "wallet_address", "key_vault_id", "vault_id", "wallet", "details"])
@pytest.mark.parametrize("words", [False, True])
def test_a_key_or_phrase_in_another_column_is_told_of(attacked: Attacked, column: str, words: bool) -> None:
    deployment = attacked.deployment
    wallet, other, _ = lost_one(attacked)
    text = WORDS if words else "0x" + "46" * 32
    place = {
        "vault_id": "credential_vault_storage SET vault_id = ? WHERE credential_id = ?",
        "wallet": "strongroom_wallet SET label = ? WHERE credential_id = ?",
        "details": "strongroom_events SET details = ?",
    }.get(column, f"project_credentials SET {column} = ? WHERE id = ?")
    if column == "details":
        place = place if deployment.backend == "sqlite" else place.replace("?", "CAST(? AS jsonb)")
        if not words:
            return  # JSON has digests in it
        deployment.execute(f"UPDATE {place}", json.dumps({"x": text}))
    else:
        deployment.execute(f"UPDATE {place}", text, other.id)
    assert told(attacked, wallet)["repair"] == "ask"


def test_a_table_beside_ours_that_has_a_column_for_keys_is_told_of(attacked: Attacked) -> None:
    wallet, _, _ = lost_one(attacked)
    attacked.deployment.execute("CREATE TABLE old_vault_copy AS SELECT * FROM credential_vault_storage")
    found = told(attacked, wallet)
    assert (found["repair"], "the table old_vault_copy is next to the vault's" in found["evidence"]) == ("ask", True)


@pytest.mark.parametrize("form", ["{}AAAA", "AAAA{}", "{}.AAAA", "{}="])
@pytest.mark.parametrize("kind", ["sealed", "foreign", "record"])
def test_what_is_glued_to_a_sealed_text_does_not_hide_it(attacked: Attacked, form: str, kind: str) -> None:
    wallet, other, text = lost_one(attacked)
    if kind == "record":
        put(attacked.deployment, other.id, form.format(text))
    else:
        entry(attacked, other, form.format(text), kind, "guard-update")
    found = told(attacked, wallet)
    assert found["repair"] in ("ask", "fill")
    if found["repair"] == "fill":
        assert attacked.apply(attacked.plan()).code == 0
        with attacked.deployment.open() as vault:
            assert [each.ok for each in vault.verify(wallet.id)] == [True]


@pytest.mark.parametrize("form", ["{},", "{} x", "x{}", "{}AAAA"])
def test_a_phrases_own_text_with_something_around_it_is_not_passed_over(attacked: Attacked, form: str) -> None:
    _, phrase, _ = derived(attacked)
    [(text,)] = attacked.deployment.execute("SELECT sealed_text FROM strongroom_phrase")
    with attacked.deployment.open() as vault:
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
    attacked.deployment.execute(
        "UPDATE strongroom_vault_history SET text = ? WHERE credential_id = ?", form.format(text), phrase
    )
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ''")
    assert {each["repair"] for each in attacked.doctor() if each["code"].startswith("phrase")} & {"ask", "fill"}
    assert not [each for each in attacked.doctor() if each["repair"] == "none"]


def test_an_id_that_is_none_is_told_of_also_where_it_is_as_long_as_one(attacked: Attacked) -> None:
    if attacked.deployment.backend != "sqlite":
        return  # ids are UUIDs
    wallet, other, text = lost_one(attacked)
    entry(attacked, other, text, "sealed", "guard-update")
    attacked.deployment.execute("UPDATE strongroom_vault_history SET id = ? WHERE text = ?", "Z" * 36, text)
    assert told(attacked, wallet)["repair"] == "ask"


def test_no_words_are_asked_for_of_a_phrase_that_never_was(attacked: Attacked) -> None:
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(attacked.deployment.project(), "ethereum").wallet
    made_up = uuid4()
    attacked.entry(made_up, text_of(attacked, wallet.id), wallet.project_id, "x", "sealed")
    attacked.deployment.execute(
        "UPDATE strongroom_vault_history SET network = 'phrase' WHERE credential_id = ?", made_up
    )
    [found] = [each for each in attacked.doctor() if each["code"] == "phrase-broken"]
    assert (found["row"], found["repair"], found["command"]) == (str(made_up), "ask", "")
