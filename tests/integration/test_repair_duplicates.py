"""Several live wallets of one slot: who says which one stays, and that every one of them still opens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom.networks import TABLE
from strongroom.records.register import SlotRecord
from strongroom.secret import Secret
from strongroom.settings import Settings
from strongroom.usecases.tagging import tag_slot
from strongroom.wiring import open_context
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment, open_deployment

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


@pytest.fixture(params=["g2", "g3"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Where several live wallets may stand side by side: with types of their own."""
    with open_deployment(request.param, request) as opened:
        yield opened


@dataclass
class DuplicatedSlot:
    """Live wallets of one project and network, the oldest last."""

    deployment: Deployment
    folder: Path
    project: UUID
    ids: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def keep(self, keeper: int) -> tuple[str, ...]:
        """The options that choose a wallet, pair by pair."""
        others = [each for each in self.ids if each != self.ids[keeper]]
        return tuple(option for other in others for option in ("--keep", f"{self.ids[keeper]}:{other}"))

    def plan(self, *options: str) -> dict[str, Any]:
        """A plan's document; nothing is changed."""
        path = self.folder / f"plan-{uuid4()}.json"
        assert self.repair("--plan", str(path), *options).code == 0
        found: dict[str, Any] = json.loads(path.read_text())
        return {**found, "path": path}

    def live(self) -> list[str]:
        """The live wallets, in the order in which they were added."""
        found = {str(row[0]) for row in self.deployment.execute("SELECT id FROM project_credentials WHERE is_active")}
        return [each for each in self.ids if each in found]

    def add(self, text: str | None, key: str, metadata: str = "{}") -> None:
        """The legacy application's wallet, older than those before it."""
        wallet, year = str(uuid4()), 2025 - len(self.ids)
        address = TABLE.get("ethereum").public_half(Secret(bytes.fromhex(key)), "bip44").address
        when = f"{year}-01-01T00:00:00+00:00"
        kind = f"wallet{len(self.ids)}"
        self.deployment.execute(_CREDENTIAL, wallet, self.project, kind, address, f"v-{wallet}", metadata, when, when)
        if text is not None:
            more = ("", "") if self.deployment.foreign else (", project_id, backup_created", ", ?, false")
            sql = _RECORD.format(more=more[0], values=more[1])
            rest = () if self.deployment.foreign else (self.project,)
            self.deployment.execute(sql, uuid4(), wallet, f"v-{wallet}", text, when, when, *rest)
        self.ids.append(wallet)
        self.addresses.append(address)

    def had(self, text: str, key: str, metadata: str = "{}") -> None:
        """Before all others: a wallet that strongroom stored a key for, and that holds another text since.

        The register has it, and no slot names it yet. ``settle`` puts it at its place among others.
        """
        assert self.ids == []
        self.add("MIGRATION_REQUIRED", key)
        with self.deployment.open() as vault:
            vault.store_key(self.ids[0], private_key=key)
        self.deployment.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, self.ids[0]
        )
        self.deployment.execute("UPDATE project_credentials SET metadata = ? WHERE id = ?", metadata, self.ids[0])

    def settle(self, deployment: int) -> None:
        """Count the first wallet at a place further down."""
        for each in (self.ids, self.addresses):
            each.insert(deployment, each.pop(0))

    def take(self, wallet: str) -> None:
        """Let the slot name a wallet, with the tag that strongroom gives."""
        record = SlotRecord(self.project, "ethereum", "default", UUID(wallet), 1)
        context = open_context(Settings(database=self.deployment.url, root_key=self.deployment.root_key))
        try:
            tag = tag_slot(context, record)
        finally:
            context.close()
        self.deployment.execute(
            "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag) "
            "VALUES (?, 'ethereum', 'default', ?, 1, ?, ?)",
            *(self.project, wallet, tag.kid, tag.value),
        )

    def repair(self, *options: str) -> CommandResult:
        return call("repair", "--database", self.deployment.url, "--root-key", self.deployment.root_key, *options)

    def keeper(self, *options: str) -> str:
        """Plan and apply; who is live then."""
        path = self.folder / "plan.json"
        assert self.repair("--plan", str(path), *options).code == 0
        assert self.repair("--apply", str(path)).code == 0
        live = self.deployment.execute("SELECT id FROM project_credentials WHERE is_active")
        assert self.deployment.execute("SELECT count(*) FROM project_credentials") == [(len(self.ids),)]
        ((keeper,),) = live
        retired = self.deployment.execute("SELECT DISTINCT status FROM project_credentials WHERE NOT is_active")
        assert retired == [("replaced",)]
        with self.deployment.open() as vault:
            found = vault.create_wallet(self.project, "ethereum")
            assert (str(found.wallet.id), found.created) == (str(keeper), False)
        assert self.deployment.execute(
            "SELECT credential_id, network, label FROM strongroom_slot WHERE project_id = ?", self.project
        ) == [(keeper, "ethereum", "default")]
        return str(keeper)


@pytest.fixture
def slot(deployment: Deployment, private_path: Path) -> DuplicatedSlot:
    return DuplicatedSlot(deployment, private_path, deployment.project())


def opens(slot: DuplicatedSlot, keys: list[str], first: int = 0) -> None:
    """Every wallet from the first on, live or retired, still shows its key."""
    with slot.deployment.open() as vault:
        for wallet, key in zip(slot.ids[first:], keys, strict=True):
            shown = vault.reveal(wallet, actor="test", reason="drill").private_key.reveal_text()
            assert shown.removeprefix("0x") == key


def retiring(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions of a plan that retire one live wallet for another one."""
    return [a for unit in plan["units"] for a in unit["actions"] if a["code"] == "duplicate-live"]


@pytest.mark.parametrize("ranked", ["created_at", "balance", "slot", "key"])
def test_of_different_keys_none_is_retired_unasked(slot: DuplicatedSlot, ranked: str) -> None:
    """Whatever a writer chose: the oldest, the one with a balance, that of the slot, the one whose key is here."""
    slot.add(KEYS[0], KEYS[0])
    slot.add("MIGRATION_REQUIRED" if ranked == "key" else KEYS[1], KEYS[1])
    if ranked == "slot":
        slot.take(slot.ids[1])
    balances = slot.folder / "balances.csv"
    balances.write_text("\ufeff" + "\r\n".join((f"{slot.addresses[1].upper().replace('X', 'x')}, 12.5", "", "0xabc,7")))
    plan = slot.plan("--balances", str(balances))
    assert retiring(plan) == []
    pairs = {(choice["actions"][0]["source"], choice["credential_id"]) for choice in plan["choices"]}
    assert pairs == {(slot.ids[0], slot.ids[1])} | (set() if ranked == "key" else {(slot.ids[1], slot.ids[0])})
    assert {each["row"] for each in plan["left_to_people"] if each["code"] == "duplicate-live"} == set(slot.ids)
    told = [choice["actions"][0]["recognised"] for choice in plan["choices"]]
    assert all(f"{slot.addresses[1]}{', named by the slot' if ranked == 'slot' else ''}" in each for each in told)
    assert all("with a balance" in each for each in told)
    assert slot.repair("--apply", str(plan["path"])).code == 0
    assert slot.live() == slot.ids


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("taken", [None, 0, 1], ids=["none recorded", "it is recorded", "another is recorded"])
@pytest.mark.parametrize("how", ["--keep", "in the plan"])
def test_a_person_chooses_pair_by_pair(slot: DuplicatedSlot, how: str, taken: int | None) -> None:
    """The slot is taken for the choice, and every wallet still opens."""
    if taken is not None:
        slot.had(KEYS[taken], KEYS[taken])
    for number, key in enumerate(KEYS[:2]):
        if number != taken:
            slot.add(key, key)
    slot.settle(taken or 0)
    if how == "--keep":
        assert slot.keeper(*slot.keep(0)) == slot.ids[0]
    else:
        plan = slot.plan()
        path = plan.pop("path")
        for choice in plan["choices"]:
            choice["chosen"] = choice["actions"][0]["source"] == slot.ids[0]
        path.write_text(json.dumps(plan))
        assert slot.repair("--apply", str(path)).code == 0
        assert slot.repair("--apply", str(path)).code == 0
        assert slot.live() == slot.ids[:1]
    assert slot.live() == slot.ids[:1]
    opens(slot, KEYS[:2])
    again = slot.plan()
    assert (again["units"], again["choices"]) == ([], [])


def test_of_three_one_pair_is_chosen_and_the_rest_waits(slot: DuplicatedSlot) -> None:
    for key in KEYS:
        slot.add(key, key)
    plan = slot.plan("--keep", f"{slot.ids[2]}:{slot.ids[0]}")
    assert [(each["source"], each["row"]) for each in retiring(plan)] == [(slot.ids[2], slot.ids[0])]
    assert {choice["credential_id"] for choice in plan["choices"]} == set(slot.ids[1:])
    assert slot.repair("--apply", str(plan["path"])).code == 0
    assert slot.live() == slot.ids[1:]


@pytest.mark.parametrize("pair", ["itself", "nobody", "without a key", "no pair"])
def test_a_choice_that_is_not_offered_is_refused(slot: DuplicatedSlot, pair: str) -> None:
    slot.add(KEYS[0], KEYS[0])
    slot.add("MIGRATION_REQUIRED", KEYS[1])
    one, other = slot.ids
    chosen = {
        "itself": f"{one}:{one}",
        "nobody": f"{one}:{uuid4()}",
        "without a key": f"{other}:{one}",
        "no pair": one,
    }[pair]
    path = slot.folder / "plan.json"
    answer = slot.repair("--plan", str(path), "--keep", chosen)
    assert (answer.code, path.exists()) == (2, False)
    assert "--keep" in answer.err


@pytest.mark.thorough(sample=1)
def test_one_wallet_that_was_written_several_times_is_settled(slot: DuplicatedSlot) -> None:
    """The same key, so the same address: which of them stays makes no difference, and the slot's need not move."""
    slot.had(f"0x{KEYS[0]}", KEYS[0])
    for text in (KEYS[0], "MIGRATION_REQUIRED"):
        slot.add(text, KEYS[0])
    slot.settle(1)
    slot.take(slot.ids[1])
    assert slot.keeper() == slot.ids[1]
    opens(slot, [KEYS[0]] * 3)


def test_one_wallet_with_two_access_levels_is_not_settled(slot: DuplicatedSlot) -> None:
    for _ in range(2):
        slot.add(KEYS[0], KEYS[0])
    slot.deployment.execute(
        "UPDATE credential_vault_storage SET access_level = 'project_member' WHERE credential_id = ?", slot.ids[0]
    )
    assert retiring(slot.plan()) == []


def test_where_no_key_is_here_a_person_decides(slot: DuplicatedSlot) -> None:
    for key in KEYS[:2]:
        slot.add("MIGRATION_REQUIRED", key)
    plan = slot.plan()
    assert (retiring(plan), plan["choices"]) == ([], [])
    assert [each["row"] for each in plan["left_to_people"] if each["code"] == "duplicate-live"] != []


def test_of_many_no_pairs_are_listed_and_any_can_be_named(slot: DuplicatedSlot) -> None:
    """The number of pairs grows with the square of what a writer puts there."""
    for number in range(12):
        slot.add(f"{number + 70:02x}" * 32, f"{number + 70:02x}" * 32)
    assert slot.plan()["choices"] == []
    assert len(retiring(slot.plan(*slot.keep(3)))) == 11


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("named", [True, False], ids=["it is recorded", "none recorded"])
def test_one_whose_missing_key_the_same_plan_brings_stays(slot: DuplicatedSlot, named: bool) -> None:
    """The others give way in the same run, be they sealed in it (their unit would come first) or without a key."""
    lost = "MIGRATION_REQUIRED", KEYS[2], json.dumps({"private_key_encrypted": KEYS[2]})
    if named:
        slot.had(*lost)
    slot.add("MIGRATION_REQUIRED", KEYS[0])
    slot.add(KEYS[1] if named else "PRIVATE_KEY_NOT_RECOVERABLE", KEYS[1])
    if named:
        slot.settle(2)
    else:
        slot.add(*lost)
    assert slot.keeper(*slot.keep(2)) == slot.ids[2]
    opens(slot, KEYS[1:] if named else KEYS[2:], first=1 if named else 2)
    path = slot.folder / "again.json"
    assert slot.repair("--plan", str(path)).code == 0
    assert json.loads(path.read_text())["units"] == []


@pytest.mark.parametrize("source", ["itself", "another slot's", "retired", "nobody", "empty"])
def test_a_keeper_that_the_plan_did_not_offer_is_refused(slot: DuplicatedSlot, source: str) -> None:
    """The live wallets of a slot stay live whatever an edited plan says."""
    for key in KEYS[:2]:
        slot.add(key, key)
    with slot.deployment.open() as vault:
        other = str(vault.create_wallet(slot.deployment.project(), "ethereum").wallet.id)
        gone = str(vault.revoke_wallet(vault.create_wallet(slot.deployment.project(), "ethereum").wallet).id)
    plan = slot.plan(*slot.keep(0))
    path = plan.pop("path")
    (retiring_unit,) = (u for u in plan["units"] if any(a["code"] == "duplicate-live" for a in u["actions"]))
    (action,) = (a for a in retiring_unit["actions"] if a["code"] == "duplicate-live")
    named = {"itself": retiring_unit["credential_id"], "another slot's": other, "retired": gone, "nobody": str(uuid4())}
    action["source"] = named.get(source, "")
    path.write_text(json.dumps(plan))
    answer = slot.repair("--apply", str(path))
    assert (answer.code, "invalid-plan" in answer.err) == (2, True)
    assert set(slot.ids) <= set(slot.live())


def test_two_choices_that_contradict_each_other_leave_one_live(slot: DuplicatedSlot) -> None:
    for key in KEYS[:2]:
        slot.add(key, key)
    plan = slot.plan()
    path = plan.pop("path")
    for choice in plan["choices"]:
        choice["chosen"] = True
    path.write_text(json.dumps(plan))
    slot.repair("--apply", str(path))
    assert len(slot.live()) == 1


@pytest.mark.parametrize(
    "change",
    ["is_active = false", "wallet_address = '0x1999BEC693CfC3FFa9727070f9e2B8091EC563Bf', public_key = ''"],
    ids=["retired", "another address"],
)
def test_the_keeper_is_looked_at_again(slot: DuplicatedSlot, change: str) -> None:
    """Changed by somebody since: then the other one stays live."""
    for key in KEYS[:2]:
        slot.add(key, key)
    plan = slot.plan(*slot.keep(1))
    slot.deployment.execute(f"UPDATE project_credentials SET {change} WHERE id = ?", slot.ids[1])
    slot.repair("--apply", str(plan["path"]))
    assert slot.ids[0] in slot.live()


@pytest.mark.parametrize("deployment", ["fresh", "sqlite"], indirect=True)
def test_in_tables_of_ours_nobody_is_retired_for_a_wallet_that_the_register_does_not_have(slot: DuplicatedSlot) -> None:
    for key in KEYS[:2]:
        slot.add(key, key)
    document = slot.plan()
    assert (document["units"], document["choices"]) == ([], [])
    refused = slot.repair("--plan", str(slot.folder / "other.json"), *slot.keep(0))
    assert refused.code != 0
    assert len(slot.live()) == 2


@pytest.mark.thorough(sample=1)
def test_a_choice_against_the_wallet_that_the_register_has_as_live_is_refused(slot: DuplicatedSlot) -> None:
    """Record and slot carry tags that fit: no option lets another wallet take its place."""
    slot.had(f"0x{KEYS[0]}", KEYS[0])
    slot.add(KEYS[1], KEYS[1])
    slot.take(slot.ids[0])
    path = slot.folder / "plan.json"
    answer = slot.repair("--plan", str(path), *slot.keep(1))
    assert (answer.code, path.exists()) == (2, False)
    assert "--keep" in answer.err
    assert slot.live() == slot.ids
    assert slot.keeper(*slot.keep(0)) == slot.ids[0]
