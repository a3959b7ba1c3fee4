"""Which of several live wallets stays: an authenticated record says it, or a person, or it makes no difference."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest

from strongroom.networks import TABLE
from strongroom.store.inspection.inspection import FoundRecord
from strongroom.takeover.doctor.derivation import Target
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.notes import Examination, ExaminedRecord
from strongroom.takeover.repair.duplicates import MOST, Rival, keeper_of, pairs

ONE, OTHER = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F", "0xb595B18c88b1f651cA387489067f855b5C8E6720"


def rival(
    number: int,
    address: str | None = ONE,
    *,
    registered: bool = False,
    has_key: bool = True,
    named: bool = False,
    level: str = "project_admin",
) -> Rival:
    wallet = str(UUID(int=number))
    record = ExaminedRecord(FoundRecord("r", wallet, "46" * 32, None, level), read("46" * 32))
    target = None if address is None else Target(TABLE.get("ethereum"), address)
    examined = Examination(None, target, wallet, records=(record,), registered=registered)
    return Rival(wallet, examined, has_key, named)


def test_the_registered_one_stays_whatever_the_others_are() -> None:
    rivals = [rival(1, OTHER, named=True), rival(2, registered=True), rival(3, named=True)]
    for order in permutations(rivals):
        assert keeper_of(order) is rivals[1]


@pytest.mark.parametrize(
    "rivals",
    [
        [rival(1), rival(2, OTHER)],
        [rival(1, named=True), rival(2, OTHER)],
        [rival(1), rival(2, OTHER, has_key=False)],
        [rival(1, registered=True), rival(2, OTHER, registered=True)],
        [rival(1, registered=True, has_key=False), rival(2, OTHER)],
        [rival(1), rival(2, level="project_member")],
        [rival(1, has_key=False), rival(2, has_key=False)],
        [rival(1, None), rival(2, None)],
    ],
    ids=["different keys", "slot", "one key", "two registered", "registered, lost", "levels", "no key", "no address"],
)
def test_a_person_chooses(rivals: list[Rival]) -> None:
    for order in permutations(rivals):
        assert keeper_of(order) is None


def test_one_wallet_that_was_written_twice_stays_once() -> None:
    rivals = [rival(1, has_key=False, named=True), rival(2), rival(3, named=True), rival(4)]
    for order in permutations(rivals):
        assert keeper_of(order) is rivals[2]


def test_choices_keep_only_what_has_its_key_and_do_not_grow_without_bound() -> None:
    rivals = [rival(1), rival(2, OTHER), rival(3, OTHER, has_key=False)]
    offered = {(action.source, loser.id) for loser, action in pairs(rivals, {OTHER.lower(): "5"})}
    ids = [each.id for each in rivals]
    assert offered == {(ids[0], ids[1]), (ids[0], ids[2]), (ids[1], ids[0]), (ids[1], ids[2])}
    assert len(list(pairs([rival(number) for number in range(MOST)], {}))) == MOST * (MOST - 1)
    assert list(pairs([rival(number) for number in range(MOST + 1)], {})) == []
