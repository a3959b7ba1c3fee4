"""Several live wallets of one project, network and label: which one stays, or what a person may choose.

Nothing that a row says of itself ranks them: anyone who can write rows chooses times, states, ids and which wallet a
slot names. A wallet stays without asking only where an authenticated record names it, or where all of them are one
wallet written several times: the same project, network, label, address and access level. Then every one signs the same,
none shows another address, and the others stay openable: which one stays makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from strongroom.takeover.doctor.findings import CREDENTIALS
from strongroom.takeover.doctor.notes import Examination
from strongroom.takeover.repair.actions import Action

MOST = 8
"""Of how many wallets of one slot choices are offered; of more, somebody names the pairs."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One of the live wallets."""

    id: str
    examined: Examination
    has_key: bool
    """Whether its key is in its record, or comes there by the same plan."""
    named: bool
    """Whether the slot names it."""

    @property
    def address(self) -> str | None:
        """Its address in canonical form, or None."""
        return None if self.examined.target is None else self.examined.target.address

    @property
    def access_levels(self) -> frozenset[str | None]:
        """Who may use it, as its records say."""
        return frozenset(held.record.access_level for held in self.examined.records if held.holds_text)


def keeper_of(rivals: Sequence[Rival]) -> Rival | None:
    """The one that stays, or None where a person has to choose."""
    registered = [rival for rival in rivals if rival.examined.registered and rival.has_key]
    if len(registered) == 1:
        return registered[0]
    with_key = [rival for rival in rivals if rival.has_key]
    if not with_key or len({rival.address for rival in rivals}) > 1 or rivals[0].address is None:
        return None
    if len({rival.access_levels for rival in rivals if rival.access_levels}) > 1:
        return None
    return min(with_key, key=lambda rival: (not rival.named, rival.id))


def retire_for(keeper: Rival, loser: Rival, why: str) -> Action:
    """Let another wallet be the live one."""
    return Action("retire", "duplicate-live", CREDENTIALS, loser.id, why, keeper.id)


def pairs(rivals: Sequence[Rival], balances: Mapping[str, object]) -> Iterator[tuple[Rival, Action]]:
    """Every choice between two: the one that would be retired, and the action that retires it."""
    if len(rivals) > MOST:
        return
    for keeper, loser in permutations(rivals, 2):
        if keeper.has_key:
            yield loser, retire_for(keeper, loser, choice(keeper, loser, balances))


def choice(keeper: Rival, loser: Rival, balances: Mapping[str, object]) -> str:
    """What a choice is about, for people."""
    return f"{_described(keeper, balances)} would stay, {_described(loser, balances)} would be retired"


def _described(rival: Rival, balances: Mapping[str, object]) -> str:
    address = rival.address or "no address"
    balance = balances.get(address.lower())
    slot = ", named by the slot" if rival.named else ""
    key = "" if rival.has_key else ", whose key is not in its vault record"
    return f"{address}{slot}{key}{'' if balance is None else ', with a balance'}"
