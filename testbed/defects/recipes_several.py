"""Defects that several rows have together, and rows that have several defects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from testbed.defects import locked, texts
from testbed.defects.database_builder import REVOKED_AT, DatabaseBuilder, SchemaTraits
from testbed.defects.ground_truth import MEMBERS, CredentialRow
from testbed.defects.keys import KnownKey, random_phrase
from testbed.defects.recipes import any_account, has_vault, no_address, recipe, stranger
from testbed.defects.texts import Text


def orphans(traits: SchemaTraits) -> bool:
    """Whether vault records may name no credential."""
    return traits.orphans


def several(traits: SchemaTraits) -> bool:
    """Whether several vault records may name one credential."""
    return traits.several


def anywhere(_: SchemaTraits) -> bool:
    """Every generation, g1 too."""
    return True


def _clear(builder: DatabaseBuilder, credential: CredentialRow) -> None:
    """Give a credential its key, in plaintext, where there is a vault table."""
    if has_vault(builder.traits) and credential.key is not None:
        builder.record(credential, texts.clear_key(builder.rng, credential.key, derives=True))


# --- several live wallets of one slot ------------------------------------------------------------------------


@recipe("duplicate-live", fits=anywhere)
def several_live(builder: DatabaseBuilder) -> None:
    project, kind = builder.uuid(), builder.rng.choice(("evm", "solana", "bitcoin"))
    named = builder.rng.choice(("ethereum", "polygon")) if kind == "evm" else kind
    for number in range(builder.rng.randint(2, 4)):
        network = None if builder.traits.base == "g1" else named
        _clear(
            builder,
            builder.credential(builder.key(kind), project=project, network=network, credential_type=f"wallet{number}"),
        )


@recipe("duplicate-live", fits=anywhere)
def several_live_next_to_retired_and_invalid(builder: DatabaseBuilder) -> None:
    """Two live ones, whatever the columns call their network; the retired one and the nameless one do not count."""
    project, retired = builder.uuid(), builder.credential(builder.key("solana"), is_active=False, status="replaced")
    for network, kind in (("ethereum", "wallet:x"), ("solana", "solana_wallet:Not-a-label")):
        named = None if builder.traits.base == "g1" else network
        key = builder.key("solana")
        _clear(builder, builder.credential(key, project=project, network=named, credential_type=kind, is_active=True))
    retired.project, retired.credential_type = project, "solana_wallet"
    _clear(builder, retired)
    nameless = no_address(builder)
    nameless.project, nameless.credential_type = project, "nameless_wallet"
    if has_vault(builder.traits):
        builder.record(nameless, texts.unreadable(builder.rng), builder.traits.methods[0])


@recipe("duplicate-live")
def several_live_under_one_label(builder: DatabaseBuilder) -> None:
    project = builder.uuid()
    for network in ("solana", "ethereum"):
        kind = "solana_wallet:cold"
        _clear(
            builder, builder.credential(builder.key("solana"), project=project, network=network, credential_type=kind)
        )


@recipe("")
def one_live_wallet_each(builder: DatabaseBuilder) -> None:
    """Other labels, other networks, other kinds of address: one project, and nothing twice."""
    project = builder.uuid()
    for network, kind, credential_type in (
        ("ethereum", "evm", "ethereum_wallet"),
        ("ethereum", "evm", "ethereum_wallet:cold"),
        ("ethereum", "evm", "ethereum_wallet:v2.hot"),
        ("polygon", "evm", "polygon_wallet"),
        ("ethereum", "solana", "solana_wallet"),
        ("bitcoin", "bitcoin", "bitcoin_wallet"),
        ("bitcoin", "testnet", "testnet_wallet"),
    ):
        _clear(
            builder,
            builder.credential(builder.key(kind), project=project, network=network, credential_type=credential_type),
        )


@recipe("", fits=lambda traits: traits.history)
def labels_that_only_the_slots_know(builder: DatabaseBuilder) -> None:
    project = builder.uuid()
    for number, label in enumerate(("default", "cold")):
        key = builder.key("evm")
        credential = builder.credential(key, project=project, network="ethereum", credential_type=f"wallet{number}")
        credential.slot_label = label
        builder.slots.append((project, "ethereum", label, credential.id))
        _clear(builder, credential)


# --- one key, one vault id, for several ----------------------------------------------------------------------


@recipe("shared-key")
def one_key_for_several(builder: DatabaseBuilder) -> None:
    key, one_project = builder.key("evm"), builder.chance(0.5)
    project = builder.uuid()
    for network in ("ethereum", "base", "bnb")[: builder.rng.randint(2, 3)]:
        where = project if one_project else builder.uuid()
        credential = builder.credential(key, project=where, network=network, credential_type=f"{network}_wallet")
        text = (texts.clear_key if builder.chance(0.6) else texts.encoded)(builder.rng, key, derives=True)
        if builder.chance(0.2):
            credential.members["vault_storage"] = text
            credential.vault_stored = False
        else:
            builder.record(credential, text)


@recipe("shared-key")
def key_of_another_wallet_too(builder: DatabaseBuilder) -> None:
    key = builder.key()
    _clear(builder, builder.credential(key))
    builder.record(builder.credential(builder.other_key(key)), texts.clear_key(builder.rng, key, derives=False))


@recipe("shared-key", cost="kdf")
def one_locked_text_for_several(builder: DatabaseBuilder) -> None:
    key = builder.key("evm")
    password = builder.rng.choice((locked.LOST_PASSWORD, locked.KEYSTORE_PASSWORD))
    text = locked.keystore(builder.rng, key, password=password)
    if builder.chance(0.4):
        text = locked.envelope_of_key(builder.rng, key, derives=True, password=locked.LOST_PASSWORD)
    for _ in range(2):
        builder.record(builder.credential(key), text)


@recipe("shared-key-vault-id", fits=anywhere)
def one_vault_id_for_several(builder: DatabaseBuilder) -> None:
    vault_id = f"vault_{builder.rng.getrandbits(48)}"
    for _ in range(builder.rng.randint(2, 3)):
        _clear(builder, builder.credential(vault_id=vault_id))


# --- vault records that are too many -------------------------------------------------------------------------


@recipe("orphan-vault-record", fits=orphans)
def orphan(builder: DatabaseBuilder) -> None:
    key = builder.key()
    choices: list[Callable[[], Text]] = [
        lambda: texts.clear_key(builder.rng, key, derives=False),
        lambda: texts.encoded(builder.rng, key, derives=False),
        lambda: texts.placeholder(builder.rng),
        lambda: texts.unreadable(builder.rng),
    ]
    builder.record(builder.uuid(), builder.rng.choice(choices)(), builder.rng.choice(("bare", "AES-256-CBC")))


@recipe("orphan-vault-record", fits=orphans)
def orphan_with_the_key_of_a_wallet(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.credential(key, vault_stored=False)
    builder.record(builder.uuid(), texts.clear_key(builder.rng, key, derives=False))


@recipe("orphan-vault-record", fits=orphans)
def sealed_orphan(builder: DatabaseBuilder) -> None:
    """Its header names a wallet that is there and lost its key, or the credential that is gone."""
    credential = builder.credential(vault_stored=False)
    header = builder.header(credential)
    owner = builder.uuid()
    if builder.chance(0.5):
        header = replace(header, credential=owner, address=builder.key("evm").address, network="ethereum")
    builder.record(owner, texts.sealed_unknown(builder.rng, header))


@recipe("orphan-vault-record", fits=orphans, cost="kdf")
def locked_orphan(builder: DatabaseBuilder) -> None:
    builder.record(builder.uuid(), locked.keystore(builder.rng, builder.key("evm")))
    builder.record(builder.uuid(), locked.envelope_of_key(builder.rng, builder.key(), derives=False))


@recipe("orphan-vault-record", fits=orphans, cost="phrase")
def orphan_with_a_phrase(builder: DatabaseBuilder) -> None:
    builder.record(builder.uuid(), texts.clear_phrase(builder.rng, random_phrase(builder.rng)))


@recipe("duplicate-vault-records", fits=several)
def several_records_of_one_key(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key)
    for _ in range(builder.rng.randint(1, 2)):
        builder.record(credential, texts.placeholder(builder.rng), builder.traits.methods[0])
    for _ in range(builder.rng.randint(1, 2)):
        builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=several)
def several_records_of_several_keys(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))
    other = texts.clear_key(builder.rng, builder.other_key(key), derives=False)
    builder.record(credential, texts.unreadable(builder.rng) if builder.chance(0.4) else other)


@recipe("duplicate-vault-records", fits=several, cost="phrase")
def several_records_of_a_phrase_and_its_key(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    key = any_account(builder, phrase) if builder.chance(0.7) else stranger(builder, phrase)
    credential = builder.credential(key)
    builder.record(credential, texts.clear_phrase(builder.rng, phrase))
    builder.record(credential, texts.encoded(builder.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=several, cost="kdf")
def several_records_with_a_lock(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key)
    builder.record(credential, locked.envelope_of_key(builder.rng, key, derives=True))
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=several)
def several_placeholders(builder: DatabaseBuilder) -> None:
    credential = builder.credential(vault_stored=builder.rng.choice((True, False)))
    for _ in range(2):
        builder.record(credential, texts.placeholder(builder.rng), builder.traits.methods[0])


# --- everything at once --------------------------------------------------------------------------------------


def _any_text(builder: DatabaseBuilder, key: KnownKey | None) -> Text:
    """A cheap text of any form, whether it has to do with the address or not."""
    own = key is not None and builder.chance(0.6)
    held = key if own and key is not None else builder.key()
    choices: list[Callable[[], Text]] = [
        lambda: texts.clear_key(builder.rng, held, derives=own),
        lambda: texts.clear_key(builder.rng, held, derives=own),
        lambda: texts.encoded(builder.rng, held, derives=own),
        lambda: texts.placeholder(builder.rng),
        lambda: texts.unreadable(builder.rng),
    ]
    return builder.rng.choice(choices)()


@recipe("")
def everything_at_once(builder: DatabaseBuilder) -> None:
    """A project where every column is thrown for, and every text too."""
    project = builder.uuid()
    for number in range(builder.rng.randint(1, 3)):
        credential = no_address(builder) if builder.chance(0.1) else builder.credential()
        credential.project = project
        labelled = f"{('ethereum', 'polygon', 'solana')[number]}_wallet:{builder.rng.choice('ab')}"
        credential.credential_type = labelled if builder.chance(0.3) else f"kind{number}"
        flags = (True, False) if builder.traits.ours else (True, False, None)
        credential.vault_stored = builder.rng.choice(flags)
        credential.is_active = builder.rng.choice((True, True, *flags))
        credential.revoked_at = REVOKED_AT if builder.chance(0.2) else None
        credential.status = builder.rng.choice(("active", "active", "revoked", "replaced"))
        for member in MEMBERS:
            if builder.chance(0.2):
                credential.members[member] = _any_text(builder, credential.key)
        for _ in range(
            builder.rng.choice((0, 1, 1, 2)) if builder.traits.several else builder.rng.choice((0, 1, 1, 1))
        ):
            access = builder.rng.choice(("project_admin", "project_member", "revoked"))
            builder.record(
                credential, _any_text(builder, credential.key), builder.rng.choice(builder.traits.methods), access
            )
