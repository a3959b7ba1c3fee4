"""What a repair writes into the register: records of what it proved, and what is returned afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom.register import Registered
from strongroom.settings import Settings
from strongroom.usecases.register import recorded
from strongroom.wiring import open_parts
from tests.acceptance.test_cli import Answer, call
from tests.integration.children_lifecycle import Place, open_place
from tests.integration.foreign import address_of

KEY, OTHER = "45" * 32, "46" * 32
WHO = {"actor": "test", "reason": "drill"}
_OLD = "1999-01-01T00:00:00+00:00"
_CREDENTIAL = (
    "INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key, "
    "key_vault_id, status, is_active, vault_stored, metadata, created_at, updated_at) "
    "VALUES (?, ?, ?, 'ethereum', ?, '', ?, 'active', true, true, '{{}}', ?, ?)"
).replace("{{}}", "{}")
_RECORD = (
    "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, encryption_method, "
    "access_level, created_at, updated_at{more}) VALUES (?, ?, ?, ?, 'AES-256-GCM', 'project_admin', ?, ?{values})"
)


@dataclass
class Clinic:
    """A database in which another application writes, and repairs of it."""

    place: Place
    folder: Path
    kinds: Iterator[int] = field(default_factory=lambda: iter(range(99)))

    def add(self, project: UUID, key: str, text: str | None, *, planted: bool = False) -> UUID:
        """A wallet of another application; in tables of ours one of ours, with another text, unless it is planted."""
        wallet = uuid4()
        kind = f"kind{next(self.kinds)}"
        if not self.place.foreign and not planted:
            with self.place.open() as vault:
                wallet = vault.import_wallet(project, "ethereum", private_key=key, label=kind).wallet.id
            self.place.execute(
                "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet
            )
            return wallet
        self.place.execute(_CREDENTIAL, wallet, project, kind, address_of("ethereum", key), f"v-{wallet}", _OLD, _OLD)
        self.place.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet)  # a trigger's
        if text is not None:
            more = ("", "") if self.place.foreign else (", project_id, backup_created", ", ?, false")
            sql = _RECORD.format(more=more[0], values=more[1])
            own = () if self.place.foreign else (project,)
            self.place.execute(sql, uuid4(), wallet, f"v-{wallet}", text, _OLD, _OLD, *own)
        return wallet

    def run(self, command: str, *options: str) -> Answer:
        return call(command, "--database", self.place.url, "--root-key", self.place.root_key, *options)

    def plan(self, *options: str) -> Path:
        path = self.folder / f"plan-{uuid4()}.json"
        answer = self.run("repair", "--plan", str(path), *options)
        assert answer.code == 0, answer.err
        return path

    def apply(self, path: Path) -> Answer:
        answer = self.run("repair", "--apply", str(path), "--json")
        assert "internal-error" not in answer.err
        return answer

    def repair(self, *options: str) -> Answer:
        answer = self.apply(self.plan(*options))
        assert answer.code == 0, answer.err
        return answer

    def record(self, wallet: UUID) -> Registered | None:
        """The record of a wallet, if its tag fits."""
        parts = open_parts(Settings(database=self.place.url, root_key=self.place.root_key))
        try:
            return recorded(parts, wallet)
        finally:
            parts.close()

    def register(self) -> list[tuple[Any, ...]]:
        return sorted(map(repr, self.place.execute("SELECT * FROM strongroom_wallet"))) + sorted(  # type: ignore[return-value]
            map(repr, self.place.execute("SELECT * FROM strongroom_slot"))
        )

    def doctor(self, wallet: UUID) -> set[str]:
        """The codes that doctor gives for a wallet."""
        found = json.loads(self.run("doctor", "--json").out)["findings"]
        return {each["code"] for each in found if each["credential_id"] == str(wallet)}


@contextmanager
def clinic_on(ground: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Clinic]:
    with open_place(ground, request) as place:
        yield Clinic(place, folder)


@pytest.fixture(params=["g2", "g3", "g4", "fresh", "sqlite"])
def clinic(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Clinic]:
    with clinic_on(request.param, request, private_path) as opened:
        yield opened


@pytest.fixture
def legacy(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Clinic]:
    """Generation 3: other code's tables, without a trigger."""
    with clinic_on("g3", request, private_path) as opened:
        yield opened


def test_a_sealed_wallet_is_recorded_and_returned_as_proved(clinic: Clinic) -> None:
    project = clinic.place.project()
    wallet = clinic.add(project, KEY, KEY)
    assert (clinic.record(wallet) is None) == clinic.place.foreign
    clinic.repair()
    found = clinic.record(wallet)
    assert found is not None
    record = found.record
    assert (record.project_id, record.network, record.status) == (project, "ethereum", "active")
    assert record.address.lower() == address_of("ethereum", KEY).lower()
    with clinic.place.open() as vault:
        assert vault.get_wallet(wallet).proved
        assert [(each.id, each.proved) for each in vault.list_wallets(project).wallets] == [(wallet, True)]
        assert vault.sign_message(wallet, "hello")
        assert [result.ok for result in vault.verify(wallet)] == [True]
    assert "register-mismatch" not in clinic.doctor(wallet)


def test_a_second_run_of_a_plan_changes_no_record(clinic: Clinic) -> None:
    project = clinic.place.project()
    clinic.add(project, KEY, KEY)
    path = clinic.plan()
    assert clinic.apply(path).code == 0
    before = clinic.register()
    assert clinic.apply(path).code == 0
    assert clinic.register() == before


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("clinic", ["g2", "g3"], indirect=True)
def test_a_retired_duplicate_is_replaced_in_the_register_too(clinic: Clinic) -> None:
    project = clinic.place.project()
    keeper, retired = clinic.add(project, KEY, KEY), clinic.add(project, OTHER, OTHER)
    clinic.repair("--keep", f"{keeper}:{retired}")
    one, other = clinic.record(keeper), clinic.record(retired)
    assert one is not None
    assert other is not None
    assert (one.record.status, other.record.status) == ("active", "replaced")
    with clinic.place.open() as vault:
        assert vault.get_wallet(retired).status == "replaced"
        found = vault.find_wallet(project, "ethereum")
        assert found is not None
        assert (found.id, found.proved) == (keeper, True)


@pytest.mark.thorough(sample=1)
def test_a_record_whose_tag_does_not_fit_is_left_alone(clinic: Clinic) -> None:
    project = clinic.place.project()
    with clinic.place.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    clinic.place.execute("UPDATE strongroom_wallet SET version = version + 1 WHERE credential_id = ?", wallet.id)
    clinic.place.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", KEY, wallet.id
    )
    before = clinic.place.execute("SELECT * FROM strongroom_wallet")
    assert clinic.apply(clinic.plan()).code == 0
    assert clinic.place.execute("SELECT * FROM strongroom_wallet") == before
    assert "register-mismatch" in clinic.doctor(wallet.id)
    with clinic.place.open() as vault, pytest.raises(strongroom.IdentityMismatchError):
        vault.get_wallet(wallet.id)


@pytest.mark.thorough(sample=1)
def test_rows_that_are_restored_are_those_of_the_record(clinic: Clinic) -> None:
    project, thief = clinic.place.project(), clinic.place.project()
    with clinic.place.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    clinic.place.execute(
        "UPDATE project_credentials SET project_id = ?, wallet_address = ? WHERE id = ?",
        *(thief, address_of("ethereum", OTHER), wallet.id),
    )
    assert {"identity-changed", "register-mismatch"} <= clinic.doctor(wallet.id)
    before = clinic.register()
    clinic.repair()
    assert clinic.register() == before
    assert clinic.doctor(wallet.id) == set()
    with clinic.place.open() as vault:
        found = vault.get_wallet(wallet.id)
        assert (found.project_id, found.address, found.proved) == (project, wallet.address, True)


def test_a_planted_row_whose_key_is_another_projects_gets_no_record(clinic: Clinic) -> None:
    mine, theirs = clinic.place.project(), clinic.place.project()
    owner, planted = clinic.add(theirs, KEY, KEY), clinic.add(mine, KEY, None, planted=True)
    assert clinic.apply(clinic.plan()).code == 0
    assert clinic.record(owner) is not None
    assert clinic.place.execute("SELECT 1 FROM strongroom_wallet WHERE credential_id = ?", planted) == []


@pytest.mark.thorough(sample=1)
def test_two_repairs_at_once_leave_one_record_that_fits(clinic: Clinic) -> None:
    project = clinic.place.project()
    wallets = [clinic.add(clinic.place.project(), f"{number:02x}" * 32, f"{number:02x}" * 32) for number in (81, 82)]
    wallets.append(clinic.add(project, KEY, KEY))
    path = clinic.plan()
    copies = [clinic.folder / f"copy-{number}.json" for number in range(2)]
    for copy in copies:
        copy.write_bytes(path.read_bytes())
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda each: _apply_in_thread(clinic, each), copies))
    assert set(codes) <= {"done", "not needed"}
    for wallet in wallets:
        found = clinic.record(wallet)
        assert found is not None
        assert found.record.version == 1
    with clinic.place.open() as vault:
        assert [result.ok for result in vault.verify()] == [True] * 3


def _apply_in_thread(clinic: Clinic, path: Path) -> str:
    from tests.integration.children_repair import carry_out

    outcomes = carry_out(clinic.place.url, clinic.place.root_key, _loaded(path))
    assert [outcome.error for outcome in outcomes if outcome.error is not None] == []
    return "done" if any(outcome.done for outcome in outcomes) else "not needed"


def _loaded(path: Path) -> Any:
    from strongroom.repair import plan as plans

    return plans.load(path)


@pytest.mark.parametrize("clinic", ["g2", "g3", "g4"], indirect=True)
def test_after_a_rotation_records_are_tagged_under_the_active_key(clinic: Clinic) -> None:
    wallet = clinic.add(clinic.place.project(), KEY, KEY)
    path = clinic.plan()
    with clinic.place.open() as vault:
        active = vault.rotate_sealing_key()
    assert clinic.apply(path).code == 0
    found = clinic.record(wallet)
    assert found is not None
    assert found.tag.kid == str(active)


# --- wallets of legacy tables that nothing proves -------------------------------------------------------------


def test_a_repair_that_leaves_no_unproved_wallet_ends_their_acceptance(
    legacy: Clinic, make_later: Callable[[Clinic, UUID], UUID]
) -> None:
    project = legacy.place.project()
    wallet = legacy.add(project, KEY, KEY)
    with legacy.place.open() as vault:
        assert not vault.get_wallet(wallet).proved
    assert legacy.repair().document["acceptance_ended"]
    another = legacy.place.project()
    later = make_later(legacy, another)
    with legacy.place.open() as vault:
        with pytest.raises(strongroom.UnprovedWalletError):
            vault.get_wallet(later)
        assert vault.list_wallets(another).wallets == ()
        with pytest.raises(strongroom.StrongroomError):
            vault.create_wallet(another, "ethereum")
    assert legacy.place.live(another) == 1, "no second wallet beside it"
    legacy.repair()
    with legacy.place.open() as vault, pytest.raises(strongroom.UnprovedWalletError):
        vault.get_wallet(later)
    assert legacy.run("upgrade", "--accept-foreign").code == 0
    legacy.repair()
    with legacy.place.open() as vault:
        assert vault.get_wallet(later).proved
        assert [each.id for each in vault.list_wallets(another).wallets] == [later]


def test_a_key_that_is_stored_makes_a_later_wallet_returned(legacy: Clinic) -> None:
    legacy.add(legacy.place.project(), KEY, KEY)
    assert legacy.repair().document["acceptance_ended"]
    later = legacy.add(legacy.place.project(), OTHER, None)
    with legacy.place.open() as vault:
        with pytest.raises(strongroom.UnprovedWalletError):
            vault.get_wallet(later)
        vault.store_key(later, private_key=OTHER)
        assert vault.get_wallet(later).proved


def test_acceptance_can_be_turned_on_again_and_the_same_plan_leaves_it(
    legacy: Clinic, make_later: Callable[[Clinic, UUID], UUID]
) -> None:
    legacy.add(legacy.place.project(), KEY, KEY)
    path = legacy.plan()
    assert legacy.apply(path).document["acceptance_ended"]
    assert legacy.run("upgrade", "--accept-foreign").code == 0
    assert not legacy.apply(path).document["acceptance_ended"]
    later = make_later(legacy, legacy.place.project())
    with legacy.place.open() as vault:
        assert not vault.get_wallet(later).proved


@pytest.mark.parametrize("left", ["a text", "a live wallet"])
def test_while_something_is_unproved_acceptance_stays(legacy: Clinic, left: str) -> None:
    legacy.add(legacy.place.project(), KEY, KEY)
    lost = legacy.add(legacy.place.project(), OTHER, "noise" if left == "a text" else None)
    assert not legacy.repair().document["acceptance_ended"]
    with legacy.place.open() as vault:
        assert not vault.get_wallet(lost).proved


@pytest.fixture
def make_later() -> Callable[[Clinic, UUID], UUID]:
    """A wallet that the old application writes after the repair."""
    return lambda clinic, project: clinic.add(project, OTHER, OTHER)
