"""Slots that a writer planted by the thousand: they hide no genuine one, give no project's key to another, and cost a
list no more than a few rows of each wallet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.records.register import MOST_SLOTS
from strongroom.store.context import StoreContext
from testbed.command_line import call
from testbed.databases.attacked import Attacked, units
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import add_credential, add_wallet, address_of
from testbed.databases.guards import put
from testbed.defects.locked import envelope_text

KEY = "7a" * 32
ADDRESS = address_of("ethereum", KEY)
PASSWORD = "an operator's password"
ENVELOPE = envelope_text(KEY, PASSWORD, bytes(16), bytes(16))
WHO: dict[str, Any] = {"actor": "operator", "reason": "x"}
PLANTED = {"its own": 300, "another's": 100_001}
"""How many slots are planted, by the wallet that they name: more than ever were looked at."""
EACH = pytest.mark.parametrize(("backend", "planted"), [("g3", "its own"), ("g4", "its own"), ("g3", "another's")])


@pytest.fixture(params=["g3", "g4"])
def backend(request: pytest.FixtureRequest) -> str:
    """Tables of the legacy application."""
    return str(request.param)


@pytest.fixture
def planted() -> str:
    """Whose slots are planted."""
    return "its own"


@pytest.fixture
def deployment(backend: str, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A database of its own."""
    with open_deployment(backend, request) as opened:
        yield opened


class Moved(NamedTuple):
    """A wallet that a project adopted, without a record, and whose row says another project."""

    wallet: UUID
    project: UUID
    other: UUID


@pytest.fixture
def moved(deployment: Deployment, planted: str) -> Moved:
    """Its genuine slot comes after the planted ones."""
    project, other, third = deployment.project(), deployment.project(), deployment.project()
    wallet = add_wallet(
        deployment.url, ADDRESS, ENVELOPE, project_id=project, network="ethereum", credential_type="ethereum_wallet"
    )
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum").wallet.id == wallet
    bait = wallet
    if planted == "another's":
        bait = add_credential(deployment.url, third, address_of("ethereum", "11" * 32))
    deployment.execute("CREATE TABLE kept AS SELECT * FROM strongroom_slot WHERE credential_id = ?", wallet)
    deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", wallet)
    plant(deployment, project, bait, PLANTED[planted])
    deployment.execute("INSERT INTO strongroom_slot SELECT * FROM kept")
    deployment.execute("DROP TABLE kept")
    deployment.execute(
        "UPDATE project_credentials SET project_id = ?, credential_type = 'moved' WHERE id = ?", other, wallet
    )
    return Moved(wallet, project, other)


def plant(deployment: Deployment, project: UUID, wallet: UUID, many: int, length: int = 1) -> None:
    """Slots of a project that name a wallet; each has a kid and tag of a length, which fit nothing."""
    deployment.execute(
        "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag) "
        "SELECT ?, 'n', n::text, ?, 1, n || repeat('k', ?), repeat('t', ?) FROM generate_series(1, ?) n",
        *(project, wallet, length, length, many),
    )


class Reads(NamedTuple):
    """What statements of a vault returned."""

    statements: list[int]
    """How many rows each."""
    slots: list[Any]

    @property
    def longest(self) -> int:
        """Characters of the longest text of a slot."""
        return max((len(value) for row in self.slots for value in row if isinstance(value, str | bytes)), default=0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """What is read from now on."""
    seen, read = Reads([], []), StoreContext.read

    def remembered(self: StoreContext, sql: str, parameters: Mapping[str, Any]) -> list[Any]:
        found = read(self, sql, parameters)
        seen.statements.append(len(found))
        if "strongroom_slot.tag" in sql:
            seen.slots.extend(found)
        return found

    monkeypatch.setattr(StoreContext, "read", remembered)
    return seen


def test_a_list_reads_few_slots_of_each_wallet_and_skips_planted_rows_by_the_hundred(
    deployment: Deployment, reads: Reads
) -> None:
    project, *others = (deployment.project() for _ in range(3))
    bait = [add_credential(deployment.url, project, f"0x{n:040x}", credential_type=f"bait{n}") for n in range(2)]
    deployment.execute(
        "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key, "
        "key_vault_id, status, is_active) SELECT gen_random_uuid(), ?, 'w' || n, 'ethereum', "
        "'0x' || lpad(to_hex(n), 40, 'a'), '', 'v' || n, 'active', true FROM generate_series(1, 150) n",
        project,
    )
    for wallet, theirs in zip(bait, others, strict=True):
        plant(deployment, theirs, wallet, 1000, 2000)
    with deployment.open(accept_foreign=False) as vault:
        reads.statements.clear()
        assert vault.list_wallets(project, limit=1).wallets == ()
        assert len(reads.slots) <= len(bait) * (MOST_SLOTS + 1)
        assert reads.longest < 100, "kids and tags are cut"
        assert len(reads.statements) <= 3 * 2 + 2 * 4, "three pages, the slots of each, and the keyring for some slots"
        assert sum(reads.statements) <= 152 + len(reads.slots) + 20


@pytest.mark.parametrize("backend", ["sqlite", "fresh"])
def test_a_list_of_proved_wallets_asks_for_no_slots(deployment: Deployment, reads: Reads) -> None:
    with deployment.open() as vault:
        project = deployment.project()
        for label in "abc":
            vault.create_wallet(project, "ethereum", label=label)
        reads.statements.clear()
        assert len(vault.list_wallets(project, limit=2).wallets) == 2
        assert reads.statements == [3], "one statement, and one row more than is shown"


@EACH
def test_a_list_shows_no_wallet_in_the_project_that_its_row_was_moved_to(deployment: Deployment, moved: Moved) -> None:
    with deployment.open() as vault:
        assert moved.wallet not in {each.id for each in vault.list_wallets(moved.other).wallets}
        with pytest.raises(strongroom.IdentityMismatchError) as caught:
            vault.get_wallet(moved.wallet)
        assert caught.value.columns == ("project_id",)


def test_doctor_tells_of_the_wallet(deployment: Deployment, moved: Moved) -> None:
    for project in (moved.project, moved.other):
        opened = ("--database", deployment.url, "--root-key", deployment.root_key, "--project", str(project))
        told = json.loads(call("doctor", *opened, "--json").out)["findings"]
        evidence = {each["evidence"] for each in told if each["row"] == str(moved.wallet)}
        assert f"more than {MOST_SLOTS} slots name it: whose it is cannot be told" in evidence


@EACH
def test_repair_gives_the_key_to_no_other_project(deployment: Deployment, moved: Moved, private_path: Path) -> None:
    attacked = Attacked(deployment, private_path)
    planted = attacked.credential(moved.other, ADDRESS, kind="planted")
    attacked.record(planted, "MIGRATION_REQUIRED", moved.other)
    plan = attacked.plan("--legacy-password-stdin", stdin=PASSWORD.encode())
    planned = units(plan)
    assert {each["do"] for each in planned.get(str(planted), [])} <= {"relabel"}
    attacked.apply(plan, "--legacy-password-stdin", stdin=PASSWORD.encode())
    with deployment.open() as vault:
        assert not vault.get_wallet(planted).proved
        with pytest.raises(strongroom.StrongroomError):
            vault.reveal(planted, **WHO)


GIVES: dict[str, Callable[[Vault, UUID, str], Any]] = {
    "move key": lambda vault, wallet, _: vault.move_key(
        wallet, to="wallet", label="stolen", network="ethereum", legacy_password=PASSWORD, **WHO
    ),
    "reveal kept": lambda vault, _, record: vault.reveal_kept(
        record, legacy_password=PASSWORD, network="ethereum", **WHO
    ),
}


@pytest.mark.parametrize("verb", GIVES.values(), ids=GIVES)
def test_a_key_is_not_given_out_in_the_project_that_its_row_was_moved_to(
    deployment: Deployment, moved: Moved, verb: Callable[[Vault, UUID, str], Any]
) -> None:
    with deployment.open() as vault:
        mine = vault.create_wallet(moved.other, "solana").wallet
        put(deployment, mine.id, ENVELOPE)
        ((record,),) = deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", mine.id)
        with pytest.raises((strongroom.KeyConflictError, strongroom.IdentityMismatchError)):
            verb(vault, mine.id, str(record))
