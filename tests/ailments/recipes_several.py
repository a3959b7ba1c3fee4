"""Ailments that several rows have together, and rows that have several ailments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.ailments import locked, texts
from tests.ailments.bed import REVOKED_AT, Bed, Soil
from tests.ailments.keys import Key, random_phrase
from tests.ailments.ledger import MEMBERS, Credential
from tests.ailments.recipes import any_account, has_vault, no_address, recipe, stranger
from tests.ailments.texts import Text


def orphans(soil: Soil) -> bool:
    """Whether vault records may name no credential."""
    return soil.orphans


def several(soil: Soil) -> bool:
    """Whether several vault records may name one credential."""
    return soil.several


def anywhere(_: Soil) -> bool:
    """Every generation, g1 too."""
    return True


def _clear(bed: Bed, credential: Credential) -> None:
    """Give a credential its key, in clear, where there is a vault table."""
    if has_vault(bed.soil) and credential.key is not None:
        bed.record(credential, texts.clear_key(bed.rng, credential.key, derives=True))


# --- several live wallets of one slot ------------------------------------------------------------------------


@recipe("duplicate-live", fits=anywhere)
def several_live(bed: Bed) -> None:
    project, kind = bed.uuid(), bed.rng.choice(("evm", "solana", "bitcoin"))
    named = bed.rng.choice(("ethereum", "polygon")) if kind == "evm" else kind
    for number in range(bed.rng.randint(2, 4)):
        network = None if bed.soil.base == "g1" else named
        _clear(bed, bed.credential(bed.key(kind), project=project, network=network, credential_type=f"wallet{number}"))


@recipe("duplicate-live", fits=anywhere)
def several_live_beside_retired_and_invalid(bed: Bed) -> None:
    """Two live ones, whatever the columns call their network; the retired one and the nameless one do not count."""
    project, retired = bed.uuid(), bed.credential(bed.key("solana"), is_active=False, status="replaced")
    for network, kind in (("ethereum", "wallet:x"), ("solana", "solana_wallet:Not-a-label")):
        named = None if bed.soil.base == "g1" else network
        key = bed.key("solana")
        _clear(bed, bed.credential(key, project=project, network=named, credential_type=kind, is_active=True))
    retired.project, retired.credential_type = project, "solana_wallet"
    _clear(bed, retired)
    nameless = no_address(bed)
    nameless.project, nameless.credential_type = project, "nameless_wallet"
    if has_vault(bed.soil):
        bed.record(nameless, texts.unreadable(bed.rng), bed.soil.methods[0])


@recipe("duplicate-live")
def several_live_under_one_label(bed: Bed) -> None:
    project = bed.uuid()
    for network in ("solana", "ethereum"):
        kind = "solana_wallet:cold"
        _clear(bed, bed.credential(bed.key("solana"), project=project, network=network, credential_type=kind))


@recipe("")
def one_live_wallet_each(bed: Bed) -> None:
    """Other labels, other networks, other kinds of address: one project, and nothing twice."""
    project = bed.uuid()
    for network, kind, credential_type in (
        ("ethereum", "evm", "ethereum_wallet"),
        ("ethereum", "evm", "ethereum_wallet:cold"),
        ("ethereum", "evm", "ethereum_wallet:v2.hot"),
        ("polygon", "evm", "polygon_wallet"),
        ("ethereum", "solana", "solana_wallet"),
        ("bitcoin", "bitcoin", "bitcoin_wallet"),
        ("bitcoin", "testnet", "testnet_wallet"),
    ):
        _clear(bed, bed.credential(bed.key(kind), project=project, network=network, credential_type=credential_type))


@recipe("", fits=lambda soil: soil.history)
def labels_that_only_the_slots_know(bed: Bed) -> None:
    project = bed.uuid()
    for number, label in enumerate(("default", "cold")):
        key = bed.key("evm")
        credential = bed.credential(key, project=project, network="ethereum", credential_type=f"wallet{number}")
        credential.slot_label = label
        bed.slots.append((project, "ethereum", label, credential.id))
        _clear(bed, credential)


# --- one key, one vault id, for several ----------------------------------------------------------------------


@recipe("shared-key")
def one_key_for_several(bed: Bed) -> None:
    key, one_project = bed.key("evm"), bed.chance(0.5)
    project = bed.uuid()
    for network in ("ethereum", "base", "bnb")[: bed.rng.randint(2, 3)]:
        where = project if one_project else bed.uuid()
        credential = bed.credential(key, project=where, network=network, credential_type=f"{network}_wallet")
        text = (texts.clear_key if bed.chance(0.6) else texts.encoded)(bed.rng, key, derives=True)
        if bed.chance(0.2):
            credential.members["vault_storage"] = text
            credential.vault_stored = False
        else:
            bed.record(credential, text)


@recipe("shared-key")
def key_of_another_wallet_too(bed: Bed) -> None:
    key = bed.key()
    _clear(bed, bed.credential(key))
    bed.record(bed.credential(bed.other_key(key)), texts.clear_key(bed.rng, key, derives=False))


@recipe("shared-key", cost="kdf")
def one_locked_text_for_several(bed: Bed) -> None:
    key = bed.key("evm")
    password = bed.rng.choice((locked.LOST_PASSWORD, locked.KEYSTORE_PASSWORD))
    text = locked.keystore(bed.rng, key, password=password)
    if bed.chance(0.4):
        text = locked.envelope_of_key(bed.rng, key, derives=True, password=locked.LOST_PASSWORD)
    for _ in range(2):
        bed.record(bed.credential(key), text)


@recipe("shared-key-vault-id", fits=anywhere)
def one_vault_id_for_several(bed: Bed) -> None:
    vault_id = f"vault_{bed.rng.getrandbits(48)}"
    for _ in range(bed.rng.randint(2, 3)):
        _clear(bed, bed.credential(vault_id=vault_id))


# --- vault records that are too many -------------------------------------------------------------------------


@recipe("orphan-vault-record", fits=orphans)
def orphan(bed: Bed) -> None:
    key = bed.key()
    choices: list[Callable[[], Text]] = [
        lambda: texts.clear_key(bed.rng, key, derives=False),
        lambda: texts.encoded(bed.rng, key, derives=False),
        lambda: texts.placeholder(bed.rng),
        lambda: texts.unreadable(bed.rng),
    ]
    bed.record(bed.uuid(), bed.rng.choice(choices)(), bed.rng.choice(("bare", "AES-256-CBC")))


@recipe("orphan-vault-record", fits=orphans)
def orphan_with_the_key_of_a_wallet(bed: Bed) -> None:
    key = bed.key()
    bed.credential(key, vault_stored=False)
    bed.record(bed.uuid(), texts.clear_key(bed.rng, key, derives=False))


@recipe("orphan-vault-record", fits=orphans)
def sealed_orphan(bed: Bed) -> None:
    """Its header names a wallet that is there and lost its key, or the credential that is gone."""
    credential = bed.credential(vault_stored=False)
    header = bed.header(credential)
    owner = bed.uuid()
    if bed.chance(0.5):
        header = replace(header, credential=owner, address=bed.key("evm").address, network="ethereum")
    bed.record(owner, texts.sealed_unknown(bed.rng, header))


@recipe("orphan-vault-record", fits=orphans, cost="kdf")
def locked_orphan(bed: Bed) -> None:
    bed.record(bed.uuid(), locked.keystore(bed.rng, bed.key("evm")))
    bed.record(bed.uuid(), locked.envelope_of_key(bed.rng, bed.key(), derives=False))


@recipe("orphan-vault-record", fits=orphans, cost="phrase")
def orphan_with_a_phrase(bed: Bed) -> None:
    bed.record(bed.uuid(), texts.clear_phrase(bed.rng, random_phrase(bed.rng)))


@recipe("duplicate-vault-records", fits=several)
def several_records_of_one_key(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key)
    for _ in range(bed.rng.randint(1, 2)):
        bed.record(credential, texts.placeholder(bed.rng), bed.soil.methods[0])
    for _ in range(bed.rng.randint(1, 2)):
        bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=several)
def several_records_of_several_keys(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))
    other = texts.clear_key(bed.rng, bed.other_key(key), derives=False)
    bed.record(credential, texts.unreadable(bed.rng) if bed.chance(0.4) else other)


@recipe("duplicate-vault-records", fits=several, cost="phrase")
def several_records_of_a_phrase_and_its_key(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    key = any_account(bed, phrase) if bed.chance(0.7) else stranger(bed, phrase)
    credential = bed.credential(key)
    bed.record(credential, texts.clear_phrase(bed.rng, phrase))
    bed.record(credential, texts.encoded(bed.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=several, cost="kdf")
def several_records_with_a_lock(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key)
    bed.record(credential, locked.envelope_of_key(bed.rng, key, derives=True))
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=several)
def several_placeholders(bed: Bed) -> None:
    credential = bed.credential(vault_stored=bed.rng.choice((True, False)))
    for _ in range(2):
        bed.record(credential, texts.placeholder(bed.rng), bed.soil.methods[0])


# --- everything at once --------------------------------------------------------------------------------------


def _any_text(bed: Bed, key: Key | None) -> Text:
    """A cheap text of any form, whether it has to do with the address or not."""
    own = key is not None and bed.chance(0.6)
    held = key if own and key is not None else bed.key()
    choices: list[Callable[[], Text]] = [
        lambda: texts.clear_key(bed.rng, held, derives=own),
        lambda: texts.clear_key(bed.rng, held, derives=own),
        lambda: texts.encoded(bed.rng, held, derives=own),
        lambda: texts.placeholder(bed.rng),
        lambda: texts.unreadable(bed.rng),
    ]
    return bed.rng.choice(choices)()


@recipe("")
def everything_at_once(bed: Bed) -> None:
    """A project where every column is thrown for, and every text too."""
    project = bed.uuid()
    for number in range(bed.rng.randint(1, 3)):
        credential = no_address(bed) if bed.chance(0.1) else bed.credential()
        credential.project = project
        labelled = f"{('ethereum', 'polygon', 'solana')[number]}_wallet:{bed.rng.choice('ab')}"
        credential.credential_type = labelled if bed.chance(0.3) else f"kind{number}"
        flags = (True, False) if bed.soil.ours else (True, False, None)
        credential.vault_stored = bed.rng.choice(flags)
        credential.is_active = bed.rng.choice((True, True, *flags))
        credential.revoked_at = REVOKED_AT if bed.chance(0.2) else None
        credential.status = bed.rng.choice(("active", "active", "revoked", "replaced"))
        for member in MEMBERS:
            if bed.chance(0.2):
                credential.members[member] = _any_text(bed, credential.key)
        for _ in range(bed.rng.choice((0, 1, 1, 2)) if bed.soil.several else bed.rng.choice((0, 1, 1, 1))):
            access = bed.rng.choice(("project_admin", "project_member", "revoked"))
            bed.record(credential, _any_text(bed, credential.key), bed.rng.choice(bed.soil.methods), access)
