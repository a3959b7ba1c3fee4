"""What an enum of the legacy tables lacks, so that a repair would be refused: left to people, with the SQL."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.records.wallets import ACCESS_LEVEL, ENCRYPTION_METHOD, REPLACED, REVOKED
from strongroom.store.catalog.foreign_checks import add_words
from strongroom.store.catalog.foreign_schema import CREDENTIALS, LOGS, VAULT, ForeignSchema
from strongroom.takeover.repair.actions import Action
from strongroom.takeover.repair.planned_actions import PlannedActions

_ALWAYS = ((LOGS, "action_type", "repair"),)
_SEALED = ((VAULT, "encryption_method", ENCRYPTION_METHOD),)
_WRITTEN = {
    "seal": _SEALED,
    "fill": (*_SEALED, (VAULT, "access_level", ACCESS_LEVEL)),
    "move": (*_SEALED, (VAULT, "access_level", ACCESS_LEVEL)),
    "relabel": _SEALED,
}
_RETIRED = {"duplicate-live": (CREDENTIALS, "status", REPLACED)}
"""What else a row that is retired says; other rows of a credential are revoked."""


def objector(foreign: ForeignSchema | None) -> Callable[[Action], str]:
    """Why an action would be refused, by the enums of these tables; empty where nothing is in its way."""

    def why(action: Action) -> str:
        if foreign is None:
            return ""
        words = [*_ALWAYS, *_WRITTEN.get(action.do, ())]
        if action.do == "retire":
            words.append(_RETIRED.get(action.code, (VAULT, "access_level", REVOKED)))
        missing: dict[str, list[str]] = {}
        for table, name, word in words:
            column = foreign.columns.get(table, {}).get(name)
            if column is not None and column.is_enum and word not in column.labels:
                missing.setdefault(column.base, []).append(word)
        if not missing:
            return ""
        sql = " ".join(add_words(base, lacks) for base, lacks in missing.items())
        return f"an enum lacks a value that the repair writes: {sql}"

    return why


def leave_refused(planned: PlannedActions, why: Callable[[Action], str]) -> None:
    """Leave to people what would be refused; of choices their findings are among what is left already."""
    for credential_id, actions in list(planned.actions.items()):
        for action in actions:
            if reason := why(action):
                planned.leave_actions(credential_id, [action], reason)
        planned.actions[credential_id] = [action for action in actions if not why(action)]
    planned.choices = [(credential_id, action) for credential_id, action in planned.choices if not why(action)]
