"""What Citus says where a node fails or refuses: the coordinator passes on a code and a text, and no other field."""

from __future__ import annotations

import re

NO_NAME = "XX000"
_NODE_LOST = (
    "failure on connection marked as essential",
    "connection to the remote node",
    "could not commit transaction for shard",
    "execution cannot recover from multiple connection failures",
    "failed to prepare transaction",
    "unable to recover from inconsistent state in the connection",
    "postmaster was shut down, exiting",
    "terminating connection due to",
)
"""What Citus says under that code where a node is lost, or its own server: what was under way may have happened."""
_ON_A_NODE = "while executing command on "
"""How Citus says that a node answered; under that code, where libpq has no answer of it, in the server's language."""
_CONSTRAINTS = frozenset({"23505", "23503", "23514"})
_NOT_NULL = "23502"
_NOT_CONNECTED = re.compile(r"connection to server at .* failed: ")
"""What libpq says of a connection that was never made; of one that was lost it says something else."""
_NAME = re.compile(r"[\"«»„“]\s?([\w$]+?)(?:_[0-9]{6,})?\s?[\"«»“”]")
"""A name in a server's message; that of a shard's table or constraint ends in the number of the shard."""


def is_node_lost(error: BaseException, state: str | None, told: object) -> bool:
    """Whether a node was lost, or the coordinator's own server."""
    return state == NO_NAME and (str(error).startswith(_NODE_LOST) or _is_of_a_node(told))


def is_node_unreachable(error: BaseException) -> bool:
    """Whether a node could not be connected to, so that a statement for it alone was never sent.

    In another language of the server's it is not known; then the outcome of a write counts as unknown.
    """
    return str(error).startswith(_NODE_LOST[1]) and _NOT_CONNECTED.search(str(error)) is not None


def constraint_on_a_node(state: str | None, told: object) -> str | None:
    """The constraint that refused on a node, or ``table.column`` where it was NOT NULL, without a shard's number.

    Only the names in the message are read, which has no values of rows: those are in its DETAIL.
    """
    if state not in (*_CONSTRAINTS, _NOT_NULL) or not _is_of_a_node(told):
        return None
    names: list[str] = _NAME.findall(getattr(told, "message_primary", None) or getattr(told, "message", None) or "")
    if state == _NOT_NULL:
        return f"{names[1]}.{names[0]}" if len(names) == 2 else None
    return names[-1] if names else None


def _is_of_a_node(told: object) -> bool:
    return _ON_A_NODE in (getattr(told, "context", None) or "")
