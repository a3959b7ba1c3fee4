"""Wallets that strongroom itself makes: real sealed texts, slots and history. Their keys come from elsewhere."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import strongroom
from strongroom import Vault, Wallet
from testbed.defects import texts
from testbed.defects.database_builder import DatabaseBuilder, Ours
from testbed.defects.ground_truth import CredentialRow, Entry, Record
from testbed.defects.keys import KnownKey, key_of, path_key, phrase_key, random_phrase
from testbed.defects.registered import RecordedWallet
from testbed.defects.schema_traits import TargetDatabase
from testbed.defects.texts import Header, Text

_CREATED = (
    ("ethereum", None, "evm"),
    ("ethereum", None, "evm"),
    ("polygon", None, "evm"),
    ("solana", None, "solana"),
    ("bitcoin", None, "bitcoin"),
    ("bitcoin", "taproot", "bitcoin taproot"),
    ("bitcoin-testnet", "legacy", "testnet legacy"),
)
_PATH = "m/44'/60'/5'/0/77"
_ACTOR: dict[str, Any] = {"actor": "defects", "reason": "the generator has to know the key"}
Made = tuple[Wallet, KnownKey, str | None]
"""A wallet, its key, and the phrase that was sealed with it."""


def create_wallets(builder: DatabaseBuilder, database: TargetDatabase, root_key: str, count: int) -> None:
    """Make wallets and enter them in the ground truth, with everything that strongroom wrote about them."""
    made: list[tuple[Made, bool]] = []
    with strongroom.open(database.url, root_key=root_key) as vault:
        for number in range(count):
            project = builder.uuid()
            database.add_projects([project])
            make = _WAYS[number % len(_WAYS)]
            made += [(each, make in _PLAIN) for each in make(builder.rng, vault, project)]
        if builder.traits.history:
            made += [(each, False) for each in _filled(builder, database, vault, 1 + count // 10)]
    _enter(builder, database, made)
    database.after_growth(builder.truth)


def _created(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    network, variant, kind = rng.choice(_CREATED)
    wallet, created = vault.create_wallet(project, network, variant=variant, words=rng.choice((12, 24)))
    assert created
    return [_known(vault, wallet, kind)]


def _known(vault: Vault, wallet: Wallet, kind: str) -> Made:
    """The key of a wallet, derived from its phrase by another library than strongroom's."""
    shown = vault.reveal(wallet, **_ACTOR).mnemonic
    assert shown is not None
    phrase = shown.reveal_text()
    key = phrase_key(phrase, kind)
    assert key.address == wallet.address
    return wallet, key, phrase


def _imported_key(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    network, kind = rng.choice((("ethereum", "evm"), ("base", "evm"), ("solana", "solana"), ("bitcoin", "bitcoin")))
    key = key_of(b"\x05" + rng.randbytes(31), kind)
    wallet = vault.import_wallet(project, network, private_key=key.secret.hex()).wallet
    assert key.address == wallet.address
    return [(wallet, key, None)]


def _imported_phrase(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    """With a passphrase or from an unusual path: the sealed key is right, and its phrase alone would not tell."""
    phrase = random_phrase(rng)
    if rng.random() < 0.5:
        key = phrase_key(phrase, "evm", passphrase="more")
        wallet = vault.import_wallet(project, "ethereum", mnemonic=phrase, passphrase="more").wallet
    else:
        key = path_key(phrase, _PATH, "evm")
        wallet = vault.import_wallet(project, "ethereum", mnemonic=phrase, path=_PATH).wallet
    assert key.address == wallet.address
    return [(wallet, key, phrase)]


def _imported_twice(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    """One key on two networks: to be seen with the root key alone."""
    key = key_of(b"\x06" + rng.randbytes(31))
    made = (vault.import_wallet(project, name, private_key=key.secret.hex()).wallet for name in ("ethereum", "mantle"))
    return [(wallet, key, None) for wallet in made]


def _labelled(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    return [_known(vault, vault.create_wallet(project, "solana", label=name).wallet, "solana") for name in ("a", "b")]


def _revoked(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    ((wallet, key, phrase),) = _created(rng, vault, project)
    return [(vault.revoke_wallet(wallet), key, phrase)]


def _replaced(rng: random.Random, vault: Vault, project: UUID) -> list[Made]:
    ((wallet, key, phrase),) = _created(rng, vault, project)
    successor = vault.replace_wallet(wallet).wallet
    shown = vault.reveal(successor, **_ACTOR).mnemonic
    assert shown is not None
    kinds = [kind for network, _, kind in _CREATED if network == successor.network]
    keys = (phrase_key(shown.reveal_text(), kind) for kind in kinds)
    found = next(each for each in keys if each.address == successor.address)
    return [(wallet, key, phrase), (successor, found, shown.reveal_text())]


def _filled(builder: DatabaseBuilder, database: TargetDatabase, vault: Vault, count: int) -> list[Made]:
    """Rows of the legacy application that got their key later: its spelling of address and network stays."""
    made: list[Made] = []
    for _ in range(count):
        credential = builder.credential(builder.key())
        builder.truth.credentials.remove(credential)
        database.write([credential], [], [], [])
        assert credential.key is not None
        wallet = vault.store_key(credential.id, private_key=credential.key.secret.hex())
        made.append((wallet.wallet, credential.key, None))
    return made


_Way = Callable[[random.Random, Vault, UUID], list[Made]]
_PLAIN: tuple[_Way, ...] = (_created, _imported_key)
_WAYS: tuple[_Way, ...] = (
    *(_created, _imported_key, _created, _imported_key, _imported_phrase, _created, _imported_key, _revoked),
    *(_created, _imported_key, _created, _imported_key, _imported_twice, _created, _imported_key, _replaced),
    *(_created, _imported_key, _created, _imported_key, _labelled),
)


# --- from rows to the ground truth ---------------------------------------------------------------------------------


def _enter(builder: DatabaseBuilder, database: TargetDatabase, made: list[tuple[Made, bool]]) -> None:
    rows = {str(row["id"]): row for row in database.rows("project_credentials")}
    records = {str(row["credential_id"]): row for row in database.rows("credential_vault_storage")}
    register = {str(row["credential_id"]): row for row in database.rows("strongroom_wallet")}
    slots = {str(row["credential_id"]): str(row["label"]) for row in database.rows("strongroom_slot")}
    entries: dict[str, list[dict[str, Any]]] = {}
    for row in database.rows("strongroom_vault_history"):
        entries.setdefault(str(row["credential_id"]), []).append(row)
    for (wallet, key, phrase), plain in made:
        name = str(wallet.id)
        credential = _credential(rows[name], key)
        credential.slot_label = slots.get(name)
        record = _record(records[name], key, phrase)
        credential.registered = RecordedWallet.of(register[name], credential, record)
        kept = [_entry(row, key, phrase) for row in entries.get(name, [])]
        builder.truth.credentials.append(credential)
        builder.truth.records.append(record)
        builder.truth.entries += kept
        builder.taken.add(record.vault_id)
        builder.wallets.append(Ours(credential, record, kept, plain))


def _credential(row: dict[str, Any], key: KnownKey) -> CredentialRow:
    metadata = row["metadata"]
    return CredentialRow(
        id=UUID(str(row["id"])),
        project=UUID(str(row["project_id"])),
        key=key,
        wallet_address=row["wallet_address"],
        public_key=row["public_key"],
        vault_id=row["key_vault_id"],
        network=row["network"],
        credential_type=row["credential_type"],
        status=row["status"],
        is_active=None if row["is_active"] is None else bool(row["is_active"]),
        revoked_at=row["revoked_at"],
        vault_stored=None if row["vault_stored"] is None else bool(row["vault_stored"]),
        metadata=json.loads(metadata) if isinstance(metadata, str) else metadata,
        columns=row,
    )


def _record(row: dict[str, Any], key: KnownKey, phrase: str | None) -> Record:
    return Record(
        id=UUID(str(row["id"])),
        credential=UUID(str(row["credential_id"])),
        text=_sealed(row["encrypted_private_key"], key, phrase),
        vault_id=row["vault_id"],
        method=row["encryption_method"],
        access_level=row["access_level"],
        columns=row,
    )


def _entry(row: dict[str, Any], key: KnownKey, phrase: str | None) -> Entry:
    return Entry(
        id=UUID(str(row["id"])),
        project=UUID(str(row["project_id"])),
        credential=UUID(str(row["credential_id"])),
        key=key,
        address=row["address"],
        text=_sealed(row["text"], key, phrase),
        form=row["form"],
        network=row["network"],
        columns=row,
    )


def _sealed(value: str, key: KnownKey, phrase: str | None) -> Text:
    """A sealed text; of what is in it only the header is read, which is public."""
    first = value.split(".")[0]
    says = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    header = Header(says["kid"], UUID(says["project"]), UUID(says["credential"]), says["network"], says["address"])
    assert texts.header_text(header) == first
    assert header.names(key)
    return Text("sealed", value, secret=key.secret, phrase=phrase, header=header)
