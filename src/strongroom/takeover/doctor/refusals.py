"""Whether a command that a finding names would be refused: its own verb is asked, and nothing is written."""

from __future__ import annotations

import re
from uuid import UUID

from strongroom.errors import StrongroomError
from strongroom.usecases.context import VaultContext
from strongroom.usecases.history import require_restorable
from strongroom.usecases.move_key import require_movable

_MOVE = re.compile("strongroom wallet move-key ([0-9a-f-]{36}) --to history")
_RESTORE = re.compile("strongroom history restore ([0-9a-f-]{36})( --archive-current)?")


def refusal(vault_context: VaultContext, command: str) -> StrongroomError | None:
    """Why a command that changes the rows of a wallet which is there would be refused; None where it would not."""
    move, restore = _MOVE.fullmatch(command), _RESTORE.fullmatch(command)
    try:
        if move is not None:
            require_movable(vault_context, UUID(move[1]))
        if restore is not None:
            require_restorable(vault_context, UUID(restore[1]), archive_current=restore[2] is not None)
    except StrongroomError as error:
        return error
    return None


def is_asked(command: str) -> bool:
    """Whether a verb is asked about a command."""
    return _MOVE.fullmatch(command) is not None or _RESTORE.fullmatch(command) is not None
