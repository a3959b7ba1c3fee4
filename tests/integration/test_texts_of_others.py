"""A row that nothing proves gets no key that a sealed text says is another project's, wherever that text stands."""

from __future__ import annotations

import json
from base64 import b32encode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import wrap
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Wallet
from strongroom.crypto.sealed_headers import first_header, headers_in
from strongroom.networks import TABLE
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret
from strongroom.settings import Settings
from strongroom.usecases import keys_of_phrases, texts_anywhere
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_elsewhere
from strongroom.usecases.keys_of_others import KeysOfOthers
from strongroom.wiring.vaults import open_context
from testbed.command_line import CommandResult, call
from testbed.databases.attacked import WHO, Attacked, address_of
from testbed.databases.guards import key_of, put, rows_gone
from testbed.databases.partitioned import PARTITIONS
from tests.integration.test_keys_that_phrases_have import PATHS, WORDS, key_at

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g2", "g4"], indirect=True)
PLACES = ("history", "kept", "metadata", "record", "second", "joined", "paged", "phrase", "aside")
WRAPPED: dict[str, Callable[[str], str]] = {
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of quotes": lambda text: b64encode(f'"{text}"'.encode()).decode(),
    "base64 of UTF-16": lambda text: b64encode(text.encode("utf-16")).decode(),
    "base64 twice, in lines": lambda text: "\n".join(wrap(b64encode(b64encode(text.encode())).decode(), 60)),
    "base64 in a list": lambda text: json.dumps(wrap(b64encode(text.encode()).decode(), 20)),
    "base32": lambda text: b32encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "percent-escaped": lambda text: "".join(f"%{ord(each):02x}" for each in text),
    "JSON with escapes": lambda text: f'{{"key": "\\u0065{text[1:]}"}}',
    "JSON in JSON": lambda text: json.dumps({"a": json.dumps({"b": [{"key": b64encode(text.encode()).decode()}]})}),
    "in lines": lambda text: "\n".join(wrap(text, 60)),
    "Python": lambda text: "b'" + text.replace("J", "\\x4a") + "'",
}
"""What strongroom unwraps, and a search for the text itself does not find."""
PLACES_OF_BASE64 = [("metadata", "base64"), ("metadata", "JSON in JSON"), ("record", "base64")]


def planted(attacked: Attacked, project: UUID, address: str) -> UUID:
    """A row without a record that states an address; in tables of ours, which have none such, one of another wallet."""
    deployment = attacked.deployment
    if deployment.foreign:
        return attacked.credential(project, address)
    with deployment.open() as vault:
        wallet = vault.create_wallet(project, "ethereum", label=f"planted{uuid4().hex[:6]}").wallet.id
    for table in ("credential_vault_storage", "strongroom_wallet", "strongroom_vault_history"):
        deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet)
    deployment.execute("UPDATE project_credentials SET wallet_address = ? WHERE id = ?", address, wallet)
    return wallet


def gone(attacked: Attacked, wallet: UUID) -> None:
    """Nothing is left of a wallet: no row, no record, no slot, no entry of the history."""
    rows_gone(attacked.deployment, wallet)
    for table in ("strongroom_wallet", "strongroom_slot", "strongroom_vault_history"):
        attacked.deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet)


def text_of(attacked: Attacked, wallet: UUID) -> str:
    sql = "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?"
    [(text,)] = attacked.deployment.execute(sql, wallet)
    return str(text)


def text_of_history(attacked: Attacked, wallet: UUID) -> str:
    [(text,)] = attacked.deployment.execute("SELECT text FROM strongroom_vault_history WHERE credential_id = ?", wallet)
    return str(text)


def put_in_metadata(attacked: Attacked, wallet: UUID, text: str | dict[str, str]) -> None:
    cast = "?" if attacked.deployment.backend == "sqlite" else "CAST(? AS jsonb)"
    sql = f"UPDATE project_credentials SET metadata = {cast} WHERE id = ?"
    attacked.deployment.execute(sql, json.dumps({"note": text} if isinstance(text, str) else text), wallet)


def project_of(attacked: Attacked, row: UUID) -> UUID:
    [(found,)] = attacked.deployment.execute("SELECT project_id FROM project_credentials WHERE id = ?", row)
    return UUID(str(found))


def scene(attacked: Attacked, where: str, wrapped: Callable[[str], str] = '"{}"'.format) -> tuple[Wallet, str, UUID]:
    """A wallet of another project of which a sealed text alone is left, its key, and a planted row of its address."""
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        victim = vault.create_wallet(theirs, "ethereum").wallet
        key = key_of(vault, victim)
        host = vault.create_wallet(theirs, "solana").wallet
        if where == "phrase":
            vault.create_phrase(theirs)
        if where == "aside":
            put(deployment, host.id, key)
            vault.move_key(host.id, to="history", network="ethereum", **WHO)
    text = text_of(attacked, victim.id)
    gone(attacked, victim.id)
    row = planted(attacked, mine, victim.address)
    if where == "history":
        attacked.entry(victim.id, text, theirs, victim.address, "sealed")
    elif where == "kept":
        attacked.entry(row, wrapped(text), mine, victim.address, "foreign")
    elif where == "metadata":
        put_in_metadata(attacked, row, wrapped(text))
    elif where == "record":
        put(deployment, host.id, wrapped(text))
    elif where == "second":
        put(deployment, host.id, f"{text_of(attacked, host.id)} {text}")
    elif where == "joined":
        attacked.entry(host.id, f"{text_of(attacked, host.id)}{text[:10]}{text}", theirs, "x", "foreign")
    elif where == "paged":
        for _ in range(70):
            attacked.entry(host.id, text_of(attacked, host.id), theirs, "x", "sealed")
        attacked.entry(UUID(int=2**128 - 1), f"{' ' * 20_000}{text}", theirs, "x", "foreign")
    elif where == "phrase":
        deployment.execute("UPDATE strongroom_phrase SET sealed_text = ?", f"x{text}")
    return victim, key, row


def run(attacked: Attacked, *words: str, stdin: bytes = b"") -> CommandResult:
    return call(*words, "--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key, stdin=stdin)


@contextmanager
def opened(attacked: Attacked) -> Iterator[VaultContext]:
    deployment = attacked.deployment
    context = open_context(Settings(database=deployment.url, root_key=deployment.root_key))
    try:
        yield context
    finally:
        context.close()


def material(key: str) -> KeyMaterial:
    return KeyMaterial(Secret(bytes.fromhex(key.removeprefix("0x"))), TABLE.get("ethereum").scheme(None))


def assert_refused(attacked: Attacked, row: UUID, key: str) -> None:
    """By the verb; and by the rule, which tables of ours never come to: a row without a record is refused there."""
    with attacked.deployment.open() as vault, pytest.raises(strongroom.StrongroomError) as refused:
        vault.store_key(row, private_key=key)
    if attacked.deployment.foreign:
        assert isinstance(refused.value, strongroom.KeyConflictError)
        assert "wallet import" in refused.value.hint or "repair --plan" in refused.value.hint
    with opened(attacked) as context:
        try:
            assert is_elsewhere(context, material(key), project_of(attacked, row), takes=True)
        except strongroom.KeyConflictError as told:
            assert told.hint
        try:
            assert KeysOfOthers(context).is_elsewhere(material(key), project_of(attacked, row), takes=True)
        except strongroom.KeyConflictError as told:
            assert told.hint
    attacked.assert_keyless(row)


def assert_taken(attacked: Attacked, row: UUID, key: str, *, words: str | None = None) -> None:
    with opened(attacked) as context:
        assert not is_elsewhere(context, material(key), project_of(attacked, row), takes=True)
        assert not KeysOfOthers(context).is_elsewhere(material(key), project_of(attacked, row), takes=True)
    if attacked.deployment.foreign:
        with attacked.deployment.open() as vault:
            assert vault.store_key(row, private_key=None if words else key, mnemonic=words).stored


@pytest.mark.parametrize("where", PLACES)
def test_a_planted_row_gets_no_key_that_a_text_says_is_another_projects(attacked: Attacked, where: str) -> None:
    victim, key, row = scene(attacked, where)
    assert_refused(attacked, row, key)
    with opened(attacked) as context:
        others, mine = KeysOfOthers(context), project_of(attacked, row)
        assert others.states(victim.address, mine)
        assert others.is_elsewhere(material(key), mine) == (where != "aside"), "which is no wallet's own"


@pytest.mark.parametrize(("where", "form"), [*(("kept", each) for each in WRAPPED), *PLACES_OF_BASE64])
def test_nor_one_that_a_text_says_that_strongroom_unwraps(attacked: Attacked, where: str, form: str) -> None:
    victim, key, row = scene(attacked, where, WRAPPED[form])
    if where == "kept":
        with opened(attacked) as context:
            inside = context.texts.sealed_in(text_of_history(attacked, row))
            assert inside is not None, "strongroom unwraps it"
            assert first_header(inside) == next(headers_in(inside))
            assert next(headers_in(inside)).wallet_id == victim.id
    assert_refused(attacked, row, key)


@pytest.mark.parametrize("table", ["strongroom_vault_history", "credential_vault_storage", "project_credentials"])
def test_nor_one_that_the_row_of_the_first_id_says(attacked: Attacked, table: str) -> None:
    """No id comes before it: the first page begins with it."""
    deployment = attacked.deployment
    first = "" if deployment.backend == "sqlite" else UUID(int=0)
    victim, key, row = scene(attacked, "history")
    text = text_of_history(attacked, victim.id)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", victim.id)
    mine = project_of(attacked, row)
    if table == "strongroom_vault_history":
        attacked.entry(row, text, mine, victim.address, "foreign")
        deployment.execute(f"UPDATE {table} SET id = ? WHERE credential_id = ?", first, row)
    elif table == "credential_vault_storage":
        other = planted(attacked, mine, "0x")
        record = attacked.record(other, text, mine)
        deployment.execute(f"UPDATE {table} SET id = ? WHERE id = ?", first, record)
    else:
        other = planted(attacked, mine, "0x")
        put_in_metadata(attacked, other, text)
        if deployment.foreign:
            deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", other)
        deployment.execute("DELETE FROM credential_usage_logs WHERE credential_id = ?", other)
        deployment.execute(f"UPDATE {table} SET id = ? WHERE id = ?", first, other)
    assert_refused(attacked, row, key)


@pytest.mark.parametrize("characters", [150_000, 300_000])
def test_nor_one_that_a_member_of_long_metadata_says(attacked: Attacked, characters: int) -> None:
    """PostgreSQL reads the short members of metadata that are too long; of the longest ones nothing is compared."""
    deployment = attacked.deployment
    victim, key, row = scene(attacked, "history")
    text = text_of_history(attacked, victim.id)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", victim.id)
    long = {f"a{each}": f"{each} " * 800 for each in range(characters // 2_400)}
    put_in_metadata(attacked, row, {**long, "zzz": WRAPPED["base64"](text)})
    if deployment.backend != "sqlite" and not PARTITIONS:  # where tables are divided it counts as not read
        with opened(attacked) as context:
            seen = context.store.rescue.see(row)
            assert seen is not None
            assert seen.credential is not None
            assert any(text in context.texts.sealed_inside(each) for _, each in seen.credential.key_texts)
    assert_refused(attacked, row, key)


@pytest.mark.parametrize("form", ["quotes", "base64"])
@pytest.mark.parametrize("where", ["metadata", "kept"])
def test_what_doctor_prints_there_leads_to_no_such_key(attacked: Attacked, where: str, form: str) -> None:
    """Under the planted row doctor names what prints the key; `store-key` does not take what it prints."""
    victim, key, row = scene(attacked, where, WRAPPED.get(form, '"{}"'.format))
    codes = ("key-in-metadata", "foreign-history")
    about = [each for each in attacked.doctor() if each["credential_id"] == str(row) and each["code"] in codes]
    [command] = [each["command"] for each in about]
    assert str(victim.id) in command
    assert key in run(attacked, *command.split()[1:]).out
    answer = run(attacked, "wallet", "store-key", str(row), "--private-key-stdin", stdin=key.encode())
    assert answer.code != 0
    assert "wallet import" in answer.err or not attacked.deployment.foreign
    assert key not in run(attacked, "wallet", "export", str(row), "--reveal").out


def test_nor_from_the_history_of_the_row_itself(attacked: Attacked) -> None:
    """`history restore` asks the same before it seals what the legacy application left."""
    victim, key, row = scene(attacked, "history")
    attacked.entry(row, key, project_of(attacked, row), victim.address, "foreign")
    with attacked.deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.restore(row, **WHO)
    attacked.assert_keyless(row)


@pytest.mark.parametrize("bound", ["MOST_TEXTS", "MOST_CHARACTERS", "_LONGEST"])
def test_more_texts_than_are_read_have_the_key_refused(
    attacked: Attacked, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = attacked.deployment
    key = "47" * 32
    row = planted(attacked, deployment.project(), address_of(key))
    with deployment.open() as vault:
        other = vault.create_wallet(deployment.project(), "ethereum").wallet
    attacked.entry(other.id, f'"{text_of(attacked, other.id)}"', other.project_id, "x", "foreign")
    with monkeypatch.context() as patched:
        patched.setattr(texts_anywhere, bound, 0)
        assert_refused(attacked, row, key)
        with opened(attacked) as context:
            others = KeysOfOthers(context)
            assert others.states(address_of(key), project_of(attacked, row))
            with pytest.raises(strongroom.KeyConflictError):
                others.is_elsewhere(material(key), project_of(attacked, row))
    assert_taken(attacked, row, key)


def test_as_many_wallets_as_there_are_keep_no_key_from_being_taken(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what strongroom did not write: texts with something around or besides a sealed one."""
    deployment, key = attacked.deployment, "46" * 32
    row = planted(attacked, deployment.project(), address_of(key))
    with deployment.open() as vault:
        for label in ("a", "b", "c"):
            vault.create_wallet(deployment.project(), "ethereum", label=label)
    monkeypatch.setattr(texts_anywhere, "MOST_TEXTS", 1)
    monkeypatch.setattr(texts_anywhere, "MOST_CHARACTERS", 1_000)
    with opened(attacked) as context:
        assert not KeysOfOthers(context).is_elsewhere(material(key), project_of(attacked, row), takes=True)
    assert_taken(attacked, row, key)


@pytest.mark.parametrize("number", [0, 3, 19, 26])
@pytest.mark.parametrize("lost", [False, True])
def test_a_key_alone_of_another_projects_phrase_is_refused(attacked: Attacked, number: int, lost: bool) -> None:
    """At the first indices, and at those that its accounts count; also where the text of the phrase is elsewhere."""
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    path = f"m/44'/60'/0'/0/{number}"
    with deployment.open() as vault:
        phrase = vault.import_phrase(theirs, mnemonic=WORDS).phrase
        for label in range(7):
            last = vault.create_wallet(theirs, "ethereum", label=f"w{label}", phrase="default").wallet
            gone(attacked, last.id)
    row = planted(attacked, mine, address_of(key_at("ethereum", path)))
    if lost:
        [(text,)] = deployment.execute("SELECT sealed_text FROM strongroom_phrase")
        attacked.entry(phrase.id, f'"{text}"', theirs, "x", "foreign")
        deployment.execute("UPDATE strongroom_phrase SET sealed_text = 'x'")
    assert_refused(attacked, row, key_at("ethereum", path))
    with deployment.open() as vault, pytest.raises(strongroom.StrongroomError) as refused:
        vault.store_key(row, mnemonic=WORDS, path=path)
    assert "alone" not in refused.value.hint


def test_more_keys_of_phrases_than_are_compared_have_it_refused(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, key = attacked.deployment, "48" * 32
    row = planted(attacked, deployment.project(), address_of(key))
    with deployment.open() as vault:
        vault.create_phrase(deployment.project())
    with monkeypatch.context() as patched:
        patched.setattr(keys_of_phrases, "MOST_COMPARED", 50)
        assert_refused(attacked, row, key)
    assert_taken(attacked, row, key)


def test_an_account_that_is_counted_far_keeps_no_other_key_from_being_taken(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first and its last indices are compared all the same."""
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.import_phrase(theirs, mnemonic=WORDS)
        gone(attacked, vault.create_wallet(theirs, "ethereum", phrase="default").wallet.id)
        vault.advance_phrase(theirs, "ethereum", 500, **WHO)
    for name, value in (("NEAR", 20), ("FAR_OF_AN_ACCOUNT", 10), ("MOST_AT_CONVENTIONS", 0), ("MOST_COMPARED", 1_000)):
        monkeypatch.setattr(keys_of_phrases, name, value)
    for number in (19, 471, 500, 519):
        key = key_at("ethereum", f"m/44'/60'/0'/0/{number}")
        with opened(attacked) as context:
            assert is_elsewhere(context, material(key), mine, takes=True), number
            assert KeysOfOthers(context).is_elsewhere(material(key), mine, takes=True), number
    assert_taken(attacked, planted(attacked, mine, address_of("4a" * 32)), "4a" * 32)


@pytest.mark.parametrize("path", ["m/44'/60'/3'/0/0", "m/44'/60'/0'/3", "m/44'/61'/0'/0/0"])
def test_a_key_alone_at_any_usual_place_of_another_projects_phrase_is_refused(attacked: Attacked, path: str) -> None:
    deployment, key = attacked.deployment, key_at("ethereum", path)
    row = planted(attacked, deployment.project(), address_of(key))
    with deployment.open() as vault:
        vault.import_phrase(deployment.project(), mnemonic=WORDS)
    assert_refused(attacked, row, key)
    with opened(attacked) as context:
        assert KeysOfOthers(context).is_elsewhere(material(key), project_of(attacked, row), takes=True)


def test_an_account_that_was_changed_has_it_refused(attacked: Attacked) -> None:
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.import_phrase(theirs, mnemonic=WORDS)
        gone(attacked, vault.create_wallet(theirs, "ethereum", phrase="default").wallet.id)
    deployment.execute("UPDATE strongroom_phrase_account SET next_index = 0")
    row = planted(attacked, mine, address_of("49" * 32))
    assert_refused(attacked, row, "49" * 32)


@pytest.mark.parametrize("given", ["key", "phrase"])
def test_a_row_takes_a_key_of_its_own_projects_phrase(attacked: Attacked, given: str) -> None:
    """And one that its own project's texts name, while other projects have phrases and kept texts of their own."""
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    key = key_at("ethereum", PATHS["ethereum"])
    with deployment.open() as vault:
        vault.import_phrase(mine, mnemonic=WORDS)
        vault.create_phrase(theirs)
        vault.create_wallet(theirs, "ethereum")
        victim = vault.create_wallet(mine, "ethereum", phrase="default").wallet
        vault.rotate_sealing_key(actor="test", reason="test")
        assert all(each.ok for each in vault.rewrap())
    text = text_of(attacked, victim.id)
    gone(attacked, victim.id)
    row = planted(attacked, mine, victim.address)
    put_in_metadata(attacked, row, text)
    assert_taken(attacked, row, key, words=None if given == "key" else WORDS)
