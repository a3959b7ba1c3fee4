"""Drives for what a caller can ask for wrongly, and for what stands against it."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID, uuid4

import strongroom
from strongroom import Secret
from strongroom.records.key_material import KeyMaterial
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.takeover.repair import plan as plans
from strongroom.wiring.takeovers import open_migrator
from testbed.databases.foreign import add_credential, add_project, put_text
from testbed.defects.locked import keystore_text
from testbed.networks.known import invalid_order
from testbed.networks.made_up import PAIR_ADDRESS, made_up_network
from testbed.processes.signing import transaction
from tests.attacks.leaks.bench import SERVER, Bench, provokes

OTHER = "0x" + "00" * 19 + "01"

# --- requests ------------------------------------------------------------------------------------------------


@provokes("invalid-request")
def two_keys(bench: Bench) -> object:
    return bench.bring(private_key=bench.key(), mnemonic=bench.watch.phrase())


@provokes("invalid-project")
def no_project(bench: Bench) -> object:
    return bench.bring(project="nobody")


@provokes("invalid-wallet-id")
def no_wallet_id(bench: Bench) -> object:
    return bench.vault.store_key("nothing", mnemonic=bench.watch.phrase(), passphrase=bench.watch.password())


@provokes("invalid-label")
def no_label(bench: Bench) -> object:
    return bench.bring(label="ä")


@provokes("invalid-idempotency-key")
def no_idempotency_key(bench: Bench) -> object:
    return bench.bring(idempotency_key="")


@provokes("invalid-actor")
def no_actor(bench: Bench) -> object:
    return bench.bring(actor="")


@provokes("invalid-cursor")
def no_cursor(bench: Bench) -> object:
    return bench.vault.list_wallets(uuid4(), after="first")


@provokes("invalid-limit")
def no_limit(bench: Bench) -> object:
    return bench.vault.list_wallets(uuid4(), limit=0)


@provokes("invalid-time")
def no_time_zone(bench: Bench) -> object:
    return bench.vault.list_log(bench.scene.make(), since=datetime(2026, 1, 1))


@provokes("unknown-network")
def no_network(bench: Bench) -> object:
    return bench.bring("nowhere")


@provokes("unknown-variant")
def no_variant(bench: Bench) -> object:
    return bench.bring("bitcoin", mnemonic=bench.watch.phrase(), variant="pink")


@provokes("invalid-mnemonic")
def wrong_order(bench: Bench) -> object:
    return bench.bring(mnemonic=invalid_order(bench.watch.phrase()), passphrase=bench.watch.password())


@provokes("invalid-private-key")
def half_a_key(bench: Bench) -> object:
    return bench.bring(private_key=bench.key()[:62])


@provokes("invalid-keystore")
def no_keystore(bench: Bench) -> object:
    return bench.bring(keystore=bench.key(), keystore_password=bench.watch.password())


@provokes("keystore-password")
def wrong_password(bench: Bench) -> object:
    document = keystore_text(bench.watch.key(), bench.watch.password(), bytes(32), bytes(16), UUID(int=1))
    return bench.bring(keystore=document, keystore_password=bench.watch.password())


@provokes("invalid-path")
def no_path(bench: Bench) -> object:
    return bench.bring("solana", mnemonic=bench.watch.phrase(), path="m/44/501")


@provokes("invalid-address")
def no_address(bench: Bench) -> object:
    return bench.bring(address="0x12")


@provokes("address-mismatch")
def another_address(bench: Bench) -> object:
    return bench.bring(address=OTHER)


@provokes("address-mismatch")
def another_wallets_key(bench: Bench) -> object:
    wallet = bench.scene.make()
    bench.scene.retire_text(wallet)
    return bench.vault.store_key(wallet, private_key=bench.key())


@provokes("invalid-plan", frames=False)
def no_plan(bench: Bench) -> object:
    path = bench.scene.folder / "plan.json"
    path.write_text(f'{{"format": "{plans.FORMAT}", "units": ["{bench.key()}"], "database": "{bench.key()}"}}')
    return plans.load(path)


@provokes("invalid-setting", frames=False)
def a_root_key_for_its_uri(bench: Bench) -> object:
    return strongroom.open(bench.scene.url, root_key=bench.scene.second_root_key)


@provokes("unsupported-database", frames=False)
def a_password_in_a_url(bench: Bench) -> object:
    return strongroom.open(f"mysql://app:{bench.watch.password()}@localhost/x", root_key=bench.root_key)


@provokes("connection-not-supported")
def no_connection(bench: Bench) -> object:
    return bench.bring(connection=object())


@provokes("missing-extra")
def no_extra(bench: Bench) -> object:
    with mock.patch("strongroom.accounts.find_spec", return_value=None):
        return bench.vault.account(bench.scene.make())


# --- signatures ----------------------------------------------------------------------------------------------


@provokes("unsupported-signing")
def no_such_kind(bench: Bench) -> object:
    return bench.vault.sign_psbt(bench.scene.make(), b"psbt\xff")


@provokes("malformed-payload")
def no_payload(bench: Bench) -> object:
    return bench.vault.sign_typed_data(bench.scene.make(), {"types": {}})


@provokes("signature-refused")
def another_chain(bench: Bench) -> object:
    return bench.vault.sign_transaction(bench.scene.make(), {**transaction(1, 10), "chainId": 137})


@provokes("signature-refused")
def a_key_that_is_not_the_addresses(bench: Bench) -> object:
    """What was opened is in the frames."""
    wallet, other = bench.scene.make(), bench.scene.watch.key()
    with mock.patch("strongroom.usecases.sign.sealing.open_sealed", return_value=_material(bench, Secret(other))):
        return bench.vault.sign_message(wallet, "hello")


@provokes("nonce-conflict")
def a_used_nonce(bench: Bench) -> object:
    wallet = bench.scene.make()
    bench.vault.sign_transaction(wallet, transaction(0, 100))
    return bench.vault.sign_transaction(wallet, transaction(0, 200))


@provokes("signature-fault")
def a_fault_of_the_hardware(bench: Bench) -> object:
    with mock.patch("strongroom.networks.evm.signature.verifies", return_value=False):
        return bench.vault.sign_message(bench.scene.make(), "hello")


def _material(bench: Bench, secret: Secret) -> KeyMaterial:
    return KeyMaterial(secret, bench.vault.networks()[0].scheme(None))


# --- what is there -------------------------------------------------------------------------------------------


@provokes("phrase-not-found")
def no_phrase(bench: Bench) -> object:
    return bench.vault.reveal_phrase(uuid4(), actor="ann", reason="to look")


@provokes("phrase-conflict")
def another_phrase_lives_there(bench: Bench) -> object:
    project = uuid4()
    bench.vault.import_phrase(project, mnemonic=bench.watch.phrase())
    return bench.vault.import_phrase(project, mnemonic=bench.watch.phrase(), passphrase=bench.watch.password())


@provokes("account-exposed")
def a_key_of_an_account_whose_xpub_is_out(bench: Bench) -> object:
    project = uuid4()
    bench.vault.import_phrase(project, mnemonic=bench.watch.phrase())
    wallet = bench.vault.create_wallet(project, "ethereum", phrase="default").wallet
    bench.vault.export_xpub(project, "ethereum", actor="ann", reason="to watch")
    return bench.vault.reveal(wallet, actor="ann", reason="to look")


@provokes("xpub-not-supported")
def no_xpub_of_solana(bench: Bench) -> object:
    project = uuid4()
    bench.vault.import_phrase(project, mnemonic=bench.watch.phrase())
    return bench.vault.export_xpub(project, "solana", actor="ann", reason="to watch")


@provokes("discovery-limit")
def every_address_is_used(bench: Bench) -> object:
    project = uuid4()
    bench.vault.import_phrase(project, mnemonic=bench.watch.phrase())
    return bench.vault.discover(project, "ethereum", is_used=lambda _: True, most=25)


@provokes("wallet-not-found")
def no_wallet(bench: Bench) -> object:
    return bench.vault.store_key(uuid4(), private_key=bench.key())


@provokes("conflict")
def a_keyring_that_changed(bench: Bench) -> object:
    """Between reading and writing."""
    damaged, vault = bench.damaged, bench.damaged.open()
    store, head = vault._context.store.keyring, "strongroom_keyring_head"
    read = store.read_keyring
    (version,) = damaged.execute(f"SELECT version FROM {head}")[0]
    bench.healing.callback(damaged.execute, f"UPDATE {head} SET version = {version}, tagged_version = {version}")

    def and_then_another() -> object:
        rows = read()
        damaged.execute(f"UPDATE {head} SET version = version + 1, tagged_version = version + 1")
        return rows

    with mock.patch.object(store, "read_keyring", and_then_another):
        return vault.rotate_sealing_key()


@provokes("idempotency-conflict")
def a_used_key(bench: Bench) -> object:
    project = uuid4()
    bench.bring(project=project, idempotency_key="once")
    return bench.bring(project=project, idempotency_key="once", mnemonic=bench.watch.phrase())


@provokes("key-conflict")
def another_key_lives_there(bench: Bench) -> object:
    project = uuid4()
    bench.bring(project=project)
    return bench.bring(project=project)


@provokes("key-conflict")
def another_key_is_stored(bench: Bench) -> object:
    wallet = bench.scene.make()
    with mock.patch("strongroom.usecases.store_key.same_address", return_value=True):
        return bench.vault.store_key(wallet, private_key=bench.key())


@provokes("variant-conflict")
def another_variant_lives_there(bench: Bench) -> object:
    project, phrase = uuid4(), bench.watch.phrase()
    bench.bring("bitcoin", project=project, mnemonic=phrase)
    return bench.vault.create_wallet(project, "bitcoin", variant="taproot")


@provokes("wallet-revoked")
def a_revoked_label(bench: Bench) -> object:
    project = uuid4()
    bench.vault.revoke_wallet(bench.bring(project=project).wallet)
    return bench.bring(project=project)


@provokes("slot-moved")
def another_live_wallet(bench: Bench) -> object:
    first = bench.scene.make()
    second = bench.vault.replace_wallet(first).wallet
    third = bench.vault.replace_wallet(second).wallet
    own = "DELETE FROM strongroom_idempotency WHERE credential_id = ?"
    bench.scene.execute(own, str(second.id))
    assert third.id != first.id
    return bench.vault.replace_wallet(first)


@provokes("ambiguous-wallet")
def one_key_twice(bench: Bench) -> object:
    key = bench.key()
    wallets = [bench.bring(private_key=key).wallet for _ in range(2)]
    return bench.vault.find_by_address(wallets[0].address)


@provokes("ambiguous-address", SERVER)
def address_of_two_networks(bench: Bench) -> object:
    """The row whose address it is holds a key in plaintext."""
    url = str(bench.request.getfixturevalue("make_legacy")("g4", initialised=True))
    project = add_project(url)
    credential = add_credential(url, project, PAIR_ADDRESS, network="mainnet", credential_type="wallet")
    put_text(url, credential, bench.key())
    bench.log_statements(url)
    with made_up_network():
        return bench.open(url).create_wallet(project, "solana")


def acknowledge(bench: Bench, name: str) -> object:
    takeover = strongroom.open_takeover(bench.damaged.url, root_key=bench.root_key)
    with takeover.diagnose(legacy_password=bench.watch.password()) as report:
        names = [each.name for each in report.findings() if each.name.startswith(name)] or [name]
        return takeover.acknowledge(report, names, reason="known", lasting=timedelta(days=1), actor="ann")


@provokes("finding-not-found")
def no_such_finding(bench: Bench) -> object:
    return acknowledge(bench, "lost:nothing")


@provokes("tampering-finding")
def finding_of_tampering(bench: Bench) -> object:
    bench.damaged.put("strongroom_wallet", "tag", "x" * 43)
    return acknowledge(bench, "register-mismatch")


@provokes("unmet-choice")
def no_such_pair(bench: Bench) -> object:
    takeover = strongroom.open_takeover(bench.damaged.url, root_key=bench.root_key)
    return takeover.plan(keep=[(uuid4(), uuid4())], keystore_password=bench.watch.password())


@provokes("migration-blocked", SERVER)
def rows_in_the_way(bench: Bench) -> None:
    """The rows that are counted hold keys in plaintext."""
    url = bench.found("g4")
    project = add_project(url)
    for address in ("0x01", "0x02"):
        put_text(url, add_credential(url, project, address), bench.key())
    bench.log_statements(url)
    open_migrator(Settings(database=url)).apply(lambda step: None, Attribution())
