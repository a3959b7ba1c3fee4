"""Several live wallets of one slot: which one stays, and that every one of them still opens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from strongroom.networks import TABLE
from strongroom.secret import Secret
from tests.acceptance.test_cli import Answer, call
from tests.integration.children_lifecycle import Place, open_place

KEYS = ["46" * 32, "47" * 32, "48" * 32]
_CREDENTIAL = (
    "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key, "
    "key_vault_id, status, is_active, vault_stored, metadata, created_at, updated_at) "
    "VALUES (?, ?, ?, 'ethereum', ?, '', ?, 'active', true, true, ?, ?, ?)"
)
_RECORD = (
    "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, "
    "encryption_method, access_level, created_at, updated_at{more}) "
    "VALUES (?, ?, ?, ?, 'AES-256-GCM', 'project_admin', ?, ?{values})"
)


@pytest.fixture(params=["g2", "g3", "fresh", "sqlite"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where several live wallets may stand side by side: with types of their own."""
    with open_place(request.param, request) as opened:
        yield opened


@dataclass
class Slot:
    """Live wallets of one project and network, the oldest last."""

    place: Place
    folder: Path
    project: UUID
    ids: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def add(self, text: str | None, key: str, metadata: str = "{}") -> None:
        """Another application's wallet, older than those before it."""
        wallet, year = str(uuid4()), 2025 - len(self.ids)
        address = TABLE.get("ethereum").public_half(Secret(bytes.fromhex(key)), "bip44").address
        when = f"{year}-01-01T00:00:00+00:00"
        kind = f"wallet{len(self.ids)}"
        self.place.execute(_CREDENTIAL, wallet, self.project, kind, address, f"v-{wallet}", metadata, when, when)
        if text is not None:
            more = ("", "") if self.place.foreign else (", project_id, backup_created", ", ?, false")
            sql = _RECORD.format(more=more[0], values=more[1])
            rest = () if self.place.foreign else (self.project,)
            self.place.execute(sql, uuid4(), wallet, f"v-{wallet}", text, when, when, *rest)
        self.ids.append(wallet)
        self.addresses.append(address)

    def take(self, wallet: str) -> None:
        """Let the slot name a wallet."""
        self.place.execute(
            "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version) "
            "VALUES (?, 'ethereum', 'default', ?, 1)",
            self.project,
            wallet,
        )

    def repair(self, *options: str) -> Answer:
        return call("repair", "--database", self.place.url, "--root-key", self.place.root_key, *options)

    def keeper(self, *options: str) -> str:
        """Plan and apply; who is live then."""
        path = self.folder / "plan.json"
        assert self.repair("--plan", str(path), *options).code == 0
        assert self.repair("--apply", str(path)).code == 0
        live = self.place.execute("SELECT id FROM project_credentials WHERE is_active")
        assert self.place.execute("SELECT count(*) FROM project_credentials") == [(len(self.ids),)]
        ((keeper,),) = live
        retired = self.place.execute("SELECT DISTINCT status FROM project_credentials WHERE NOT is_active")
        assert retired == [("replaced",)]
        with self.place.open() as vault:
            found = vault.create_wallet(self.project, "ethereum")
            assert (str(found.wallet.id), found.created) == (str(keeper), False)
        assert self.place.execute(
            "SELECT credential_id, network, label FROM strongroom_slot WHERE project_id = ?", self.project
        ) == [(keeper, "ethereum", "default")]
        return str(keeper)


@pytest.fixture
def slot(place: Place, private_path: Path) -> Slot:
    return Slot(place, private_path, place.project())


def opens(slot: Slot, keys: list[str], first: int = 0) -> None:
    """Every wallet from the first on, live or retired, still shows its key."""
    with slot.place.open() as vault:
        for wallet, key in zip(slot.ids[first:], keys, strict=True):
            shown = vault.reveal(wallet, actor="test", reason="drill").private_key.reveal_text()
            assert shown.removeprefix("0x") == key


def test_the_oldest_stays_where_nothing_else_tells(slot: Slot) -> None:
    for key in KEYS:
        slot.add(key, key)
    assert slot.keeper() == slot.ids[-1]
    opens(slot, KEYS)


def test_one_with_a_balance_stays(slot: Slot) -> None:
    for key in KEYS:
        slot.add(key, key)
    balances = slot.folder / "balances.csv"
    lines = (f"{slot.addresses[2]},0.00", f"{slot.addresses[1].upper().replace('X', 'x')}, 12.5", "", "0xabc,7")
    balances.write_text("\ufeff" + "\r\n".join(lines))
    assert slot.keeper("--balances", str(balances)) == slot.ids[1]
    opens(slot, KEYS)


def test_a_key_that_is_here_counts_more_than_a_balance(slot: Slot) -> None:
    slot.add(KEYS[0], KEYS[0])
    slot.add("MIGRATION_REQUIRED", KEYS[1])
    balances = slot.folder / "balances.csv"
    balances.write_text(f"{slot.addresses[1]},100\n")
    assert slot.keeper("--balances", str(balances)) == slot.ids[0]


def test_one_that_the_slot_names_stays(slot: Slot) -> None:
    for key in KEYS:
        slot.add(key, key)
    slot.take(slot.ids[0])
    assert slot.keeper() == slot.ids[0]
    opens(slot, KEYS)


def test_where_no_key_is_here_a_person_decides(slot: Slot) -> None:
    for key in KEYS[:2]:
        slot.add("MIGRATION_REQUIRED", key)
    path = slot.folder / "plan.json"
    assert slot.repair("--plan", str(path)).code == 0
    document = json.loads(path.read_text())
    assert not [a for unit in document["units"] for a in unit["actions"] if a["code"] == "duplicate-live"]
    assert [each["row"] for each in document["left_to_people"] if each["code"] == "duplicate-live"] != []


@pytest.mark.parametrize("named", [True, False], ids=["the slot names it", "no slot yet"])
def test_one_whose_missing_key_the_same_plan_brings_stays(slot: Slot, named: bool) -> None:
    """The others give way in the same run, be they sealed in it (their unit would come first) or without a key."""
    slot.add("MIGRATION_REQUIRED", KEYS[0])
    slot.add(KEYS[1] if named else "PRIVATE_KEY_NOT_RECOVERABLE", KEYS[1])
    slot.add("MIGRATION_REQUIRED", KEYS[2], json.dumps({"private_key_encrypted": KEYS[2]}))
    if named:
        slot.take(slot.ids[2])
    assert slot.keeper() == slot.ids[2]
    opens(slot, KEYS[1:] if named else KEYS[2:], first=1 if named else 2)
    path = slot.folder / "again.json"
    assert slot.repair("--plan", str(path)).code == 0
    assert json.loads(path.read_text())["units"] == []


@pytest.mark.parametrize("source", ["itself", "another slot's", "each other", "retired", "nobody", "empty"])
def test_a_plan_retires_nobody_for_a_wallet_of_another_slot(slot: Slot, source: str) -> None:
    """The one live wallet of a slot stays live whatever a plan says."""
    for key in KEYS[:2]:
        slot.add(key, key)
    with slot.place.open() as vault:
        other = str(vault.create_wallet(slot.place.project(), "ethereum").wallet.id)
        gone = str(vault.revoke_wallet(vault.create_wallet(slot.place.project(), "ethereum").wallet).id)
    path = slot.folder / "plan.json"
    slot.repair("--plan", str(path))
    document = json.loads(path.read_text())
    (retiring,) = (u for u in document["units"] if any(a["code"] == "duplicate-live" for a in u["actions"]))
    (action,) = (a for a in retiring["actions"] if a["code"] == "duplicate-live")
    (keeping,) = (u for u in document["units"] if u is not retiring)
    named = {"itself": retiring["credential_id"], "another slot's": other, "retired": gone, "nobody": str(uuid4())}
    action["source"] = named.get(source, action["source"] if source == "each other" else "")
    if source == "each other":
        keeping["actions"].append({**action, "row": keeping["credential_id"], "source": retiring["credential_id"]})
    path.write_text(json.dumps(document))
    assert slot.repair("--apply", str(path)).code == 0
    ((live,),) = slot.place.execute(
        "SELECT count(*) FROM project_credentials WHERE is_active AND project_id = ?", slot.project
    )
    assert live == (1 if source == "each other" else 2)


def test_the_keeper_is_looked_at_again(slot: Slot) -> None:
    """Retired by somebody since: then the other one stays live."""
    for key in KEYS[:2]:
        slot.add(key, key)
    path = slot.folder / "plan.json"
    slot.repair("--plan", str(path))
    slot.place.execute("UPDATE project_credentials SET is_active = false WHERE id = ?", slot.ids[1])
    slot.repair("--apply", str(path))
    assert [str(row[0]) for row in slot.place.execute("SELECT id FROM project_credentials WHERE is_active")] == [
        slot.ids[0]
    ]
    with slot.place.open() as vault:
        assert [r.ok for r in vault.verify(slot.ids[0])] == [True]
