"""A plan: what would be done, for people to read and to strike from. As a JSON document; nothing in it is secret.

What a plan says is only planned: each unit is carried out where the rows still have the fingerprint that they had, and
only as far as an examination at that moment comes to the same actions. Every action carries a keyed digest of itself:
a file with one that was not offered is refused.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

from strongroom import bounded_json
from strongroom.errors import InvalidPlanError
from strongroom.host.files import open_nonblocking, read_at_most
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import FoundWallet
from strongroom.takeover.doctor.findings import PHRASE_ACCOUNTS, PHRASES
from strongroom.takeover.repair.actions import ORDER, Action

FORMAT = "strongroom repair plan 2"
MAX_BYTES = 2 << 30
NOTHING_LEFT = FoundWallet(None, ())
"""The rows of a wallet of which only the history tells."""
_FINGERPRINT_BYTES = 32


@dataclass(slots=True)
class Unit:
    """What is done to one wallet: all of it in one transaction, or nothing."""

    credential_id: str
    address: str
    fingerprint: str
    """Of the rows as they were seen, without vault ids and times, which triggers touch."""
    actions: list[Action] = field(default_factory=list)

    @property
    def is_of_phrase(self) -> bool:
        """Whether it is about a phrase of a project, whose id stands in the place of a wallet's."""
        return any(action.table in (PHRASES, PHRASE_ACCOUNTS) for action in self.actions)

    @property
    def place(self) -> tuple[str, str]:
        """Which it is: a wallet's id, or a phrase's with its project."""
        return self.credential_id, self.project_of_phrase if self.is_of_phrase else ""

    @property
    def project_of_phrase(self) -> str:
        """The project of the phrase that it is about, as its actions say."""
        return (self.actions[0].source or "").partition(" ")[0]

    @property
    def rank(self) -> tuple[int, str, str]:
        """Where it stands: by what is done first, but a wallet that gives way to another comes after it."""
        place = max if any(action.code == "duplicate-live" for action in self.actions) else min
        return place((ORDER.index(action.do), action.code, self.credential_id) for action in self.actions)


@dataclass(frozen=True, slots=True)
class Plan:
    """All units, in the order in which they are carried out."""

    database: str
    generation: str
    kid: str
    """The sealing key that the fingerprints were made with."""
    units: Sequence[Unit]
    left: Sequence[dict[str, Any]] = ()
    """Findings that a plan does nothing about, as doctor prints them."""
    choices: Sequence[Unit] = ()
    """What a person may choose: of two live wallets with different keys, one stays and one is retired."""


def fingerprint(key: Secret, found: FoundWallet) -> str:
    """A keyed digest of a wallet's rows, in hexadecimal; tells nobody without the key what they hold."""
    rows = asdict(found)
    if rows["credential"] is not None:
        rows["credential"].pop("key_vault_id")
    canonical = Secret.from_text(json.dumps(rows, sort_keys=True, separators=(",", ":")))
    return blake2b(canonical.reveal(), key=key.reveal(), digest_size=_FINGERPRINT_BYTES).hexdigest()


def signature(key: Secret, unit: Unit, action: Action) -> str:
    """A keyed digest of an action as a plan offers it: what is done, to which rows, from where, as they were seen."""
    facts = [unit.credential_id, unit.address, unit.fingerprint, action.do, action.code, action.table, action.row]
    facts += [action.recognised, action.source or "", action.source_table or "", action.seen]
    data = json.dumps(facts).encode()
    return blake2b(data, key=key.reveal(), digest_size=_FINGERPRINT_BYTES, person=b"action").hexdigest()


def require_offered(key: Secret, plan: Plan) -> None:
    """Raise InvalidPlanError unless every action of a plan is one that it offered, word for word."""
    for unit in plan.units:
        for action in unit.actions:
            if not hmac.compare_digest(action.fingerprint.encode(), signature(key, unit, action).encode()):
                raise InvalidPlanError(f"An action for {unit.credential_id} is not one that the plan offered.")


def lines(plan: Plan) -> Iterator[str]:
    """The plan as a JSON document, a unit a line's beginning, piece by piece."""
    counts = {do: sum(action.do == do for unit in plan.units for action in unit.actions) for do in ORDER}
    head = {
        "format": FORMAT,
        "database": plan.database,
        "generation": plan.generation,
        "fingerprints_by": plan.kid,
        "what_to_do": "Read it. Strike actions or units that are not to be carried out. Of the choices, set chosen to "
        "true where a wallet is to be retired for another one. Any other edit is refused.",
        "actions": {do: number for do, number in counts.items() if number},
    }
    yield json.dumps(head, indent=2)[:-2] + ',\n  "units": ['
    yield from _listed(_unit_as_dict(unit) for unit in plan.units)
    yield '],\n  "choices": ['
    yield from _listed({"chosen": False, **_unit_as_dict(unit)} for unit in plan.choices)
    yield '],\n  "left_to_people": ['
    yield from _listed(plan.left)
    yield "]\n}\n"


def load(path: Path) -> Plan:
    """Read a plan that was written by ``lines``, and perhaps edited. Raises InvalidPlanError."""
    document = _document(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidPlanError(f"{path.name} is not a repair plan of this version of strongroom.")
    units = document.get("units")
    texts = [document.get(name) for name in ("database", "generation", "fingerprints_by")]
    if not isinstance(units, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidPlanError(f"{path.name} lacks a part of a repair plan.")
    database, generation, kid = (str(text) for text in texts)
    found = [_unit(unit, number) for number, unit in enumerate(units, 1)]
    chosen = list(_chosen(document.get("choices", [])))
    return Plan(database, generation, kid, with_chosen(_not_struck(found), _not_struck(chosen)))


def _not_struck(units: Sequence[Unit]) -> list[Unit]:
    """Those that somebody left an action of."""
    return [unit for unit in units if unit.actions]


def with_chosen(units: list[Unit], chosen: Sequence[Unit]) -> list[Unit]:
    """Units with what a person chose, a wallet's actions together, in the order in which they are carried out."""
    there = {unit.place: unit for unit in units}
    for unit in chosen:
        if unit.place in there:
            there[unit.place].actions.extend(unit.actions)
        else:
            units.append(unit)
            there[unit.place] = unit
    return sorted(units, key=lambda unit: unit.rank) if chosen else units


def _chosen(choices: Any) -> Iterator[Unit]:
    if not isinstance(choices, list):
        raise InvalidPlanError("The choices of the plan are not as they were written.")
    for number, choice in enumerate(choices, 1):
        if not isinstance(choice, dict) or not isinstance(choice.get("chosen"), bool):
            raise InvalidPlanError(f"Choice {number} of the plan is not as it was written.")
        if choice["chosen"]:
            yield _unit(choice, number)


def _document(path: Path) -> Any:
    try:
        with open(path, "rb", opener=open_nonblocking) as file:
            text = read_at_most(file, MAX_BYTES)
    except OSError as error:
        raise InvalidPlanError(f"The plan {path.name} cannot be read: {error.strerror}.") from None
    try:
        return bounded_json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
    where = f", line {line}" if line else ""
    raise InvalidPlanError(f"The plan {path.name} is not JSON{where}: an edit may have left a comma too many.")


def _unit(document: Any, number: int) -> Unit:
    names = ("credential_id", "address", "fingerprint")
    if not isinstance(document, dict) or not isinstance(document.get("actions"), list):
        raise InvalidPlanError(f"Unit {number} of the plan is not as it was written.")
    texts = [document.get(name) for name in names]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidPlanError(f"Unit {number} of the plan is not as it was written.")
    credential_id, address, seen = (str(text) for text in texts)
    if not is_id(credential_id):
        raise InvalidPlanError(f"Unit {number} of the plan names no wallet.")
    return Unit(credential_id, address, seen, [_action(action, number) for action in document["actions"]])


def _action(document: Any, number: int) -> Action:
    wanted = ("do", "code", "table", "row", "fingerprint")
    if not isinstance(document, dict) or not all(isinstance(document.get(name), str) for name in wanted):
        raise InvalidPlanError(f"An action of unit {number} of the plan is not as it was written.")
    others = [document.get(name) for name in ("recognised", "source", "source_table", "seen")]
    if document["do"] not in ORDER or not all(other is None or isinstance(other, str) for other in others):
        raise InvalidPlanError(f"An action of unit {number} of the plan is not one that can be done.")
    do, code, table, row, offered = (document[name] for name in wanted)
    recognised, source, source_table, seen = others
    return Action(do, code, table, row, recognised or "", source, source_table, seen or "", offered)


def is_id(text: str) -> bool:
    """Whether a text names a row of a table of ours."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _unit_as_dict(unit: Unit) -> dict[str, Any]:
    return {
        "credential_id": unit.credential_id,
        "address": unit.address,
        "actions": [
            {
                "do": action.do,
                "code": action.code,
                "recognised": action.recognised,
                "afterwards": action.afterwards,
                "table": action.table,
                "row": action.row,
                **({} if action.source is None else {"source": action.source}),
                **({} if action.source_table is None else {"source_table": action.source_table}),
                **({} if not action.seen else {"seen": action.seen}),
                "fingerprint": action.fingerprint,
            }
            for action in unit.actions
        ],
        "fingerprint": unit.fingerprint,
    }


def _listed(documents: Any) -> Iterator[str]:
    separator = "\n"
    for document in documents:
        text = json.dumps(document, indent=2).replace("\n", "\n    ")
        yield f"{separator}    {text}"
        separator = ",\n"
    yield "\n  " if separator != "\n" else ""
