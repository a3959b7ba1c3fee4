"""The command that gets a key out, for each finding about one: it works as it is printed."""

from __future__ import annotations

import re

DOCTOR = "strongroom doctor"
"""Look at every wallet."""
PLAN = "strongroom repair --plan plan.json"
WITH_ROOT_KEY = "strongroom doctor --root-key URI"
"""Open what is sealed, and say more."""
_IN_PLAINTEXT = frozenset({"plaintext-key", "plaintext-mnemonic", "encoded-key", "key-in-metadata"})
_LOCKED = {"legacy-envelope": "--legacy-password-stdin", "keystore": "--keystore-password-stdin"}
KEYLESS = frozenset({"placeholder", "missing-vault-record"})
_UNREAD = frozenset({"unreadable", "encrypted-elsewhere"})
_OF_A_TEXT = frozenset({"sealed-elsewhere", "identity-changed", "address-mismatch", "phrase-does-not-derive-key"})
COVERED = (_IN_PLAINTEXT - {"key-in-metadata"}) | {
    *_LOCKED,
    "encrypted-elsewhere",
    "unreadable",
    "address-mismatch",
    "phrase-does-not-derive-key",
    "sealed-elsewhere",
}
"""Findings about a text in the place of a wallet's own key, which the history may have."""
OF_TEXTS = COVERED | {"key-in-metadata", "identity-changed"}
"""Findings about a text that is there."""
ABOUT_A_KEY = OF_TEXTS | KEYLESS
_LABEL = re.compile("[A-Za-z0-9_.@][A-Za-z0-9_.@-]{0,63}")
PSQL = 'psql "$STRONGROOM_DATABASE_URL" --command'
"""What reads a text where no vault can be: without strongroom, and so without its log."""


def restore(wallet_id: str) -> str:
    """Make rows anew, or fill what is missing."""
    return f"strongroom history restore {wallet_id}"


def archive(wallet_id: str) -> str:
    """Put the wallet's own key back over another text."""
    return f"strongroom history restore {wallet_id} --archive-current"


def store(wallet_id: str) -> str:
    """Seal a key that one has as a wallet's; its rows are made anew where they are gone."""
    return f"strongroom wallet store-key {wallet_id}"


def store_phrase(wallet_id: str, path: str | None) -> str:
    """Seal a phrase that one has as a wallet's key."""
    at = "" if path is None else f' --path "{path}"'
    return f"strongroom wallet store-key {wallet_id} --mnemonic-stdin{at}"


def import_phrase(label: str, project_id: str) -> str:
    """Bring the words of a phrase whose sealed text is lost; its label stays, whichever is named."""
    label = label if _LABEL.fullmatch(label) else "restored"
    return f"strongroom phrase import {label} --project {project_id} --mnemonic-stdin"


def export_phrase(phrase_id: object, project_id: object) -> str:
    """Give the words of a phrase out."""
    return f"strongroom phrase export {phrase_id} --project {project_id} --reveal"


def reveal(text_id: str) -> str:
    """Give a key out by the id of its text."""
    return f"strongroom history reveal {text_id} --reveal"


def reveal_of(text_id: str, wallet_id: str) -> str:
    """Give out the key of a sealed text that is stored under another wallet than its own."""
    return f"strongroom history reveal {text_id} --wallet {wallet_id} --reveal"


def naming_wallet(command: str, wallet_id: str) -> str:
    """A command that gives a text out, for a wallet whose project its row does not say: it refuses without the name."""
    if not command.startswith("strongroom history reveal ") or " --wallet " in command:
        return command
    return command.replace(" --reveal", f" --wallet {wallet_id} --reveal", 1)


def export(wallet_id: str) -> str:
    """Give out the key of a wallet that is there."""
    return f"strongroom wallet export {wallet_id} --reveal"


def reveal_text(text_id: str) -> str:
    """Give a text out as it is, by its id."""
    return f"strongroom history reveal {text_id} --text --reveal"


def in_metadata(wallet_id: str) -> str:
    """The id of the text in the metadata of a credential."""
    return f"metadata:{wallet_id}"


def reveal_foreign(text_id: str, kind: str, *, readable: bool, placed: bool = True, more: bool = False) -> str:
    """Give a key out of the legacy application's text; the text where none was read, and no password would help.

    ``placed``: whether its row says on which network it is a key. ``more``: whether it holds more than the one key.
    """
    if kind == "legacy-envelope" and (more or not placed):
        return f"{reveal_text(text_id)} {_LOCKED[kind]}"  # all that is in it
    if kind in _LOCKED:
        network = "" if placed else " --network ethereum"  # on which such files are a convention
        return f"{reveal(text_id)} {_LOCKED[kind]}{network}"
    return reveal(text_id) if readable and placed and not more else reveal_text(text_id)


def command_of(
    code: str, *, automatic: bool, row: str, wallet_id: str, has_wallet: bool, holds_more: bool = False
) -> str:
    """What is done about a finding that names no command of its own; empty where a person has to look first.

    ``has_wallet``: whether the row belongs to a credential that is there. ``holds_more``: whether moving the text, or
    archiving it, would lose a key: then the whole text is shown.
    """
    if automatic:
        return PLAN
    if code == "duplicate-live":
        return PLAN  # its choices name the pairs
    if code in KEYLESS and wallet_id:
        return store(wallet_id)
    if holds_more:
        place = in_metadata(wallet_id) if code == "key-in-metadata" else row
        return reveal_text(place) if row and wallet_id else ""
    if code in _IN_PLAINTEXT and has_wallet and wallet_id:
        return f"strongroom wallet move-key {wallet_id} --to history"
    if code in _IN_PLAINTEXT and row:
        return reveal_text(row)  # nothing says on which network it is a key
    if code in _OF_A_TEXT and row:
        return reveal(row)
    if code in _LOCKED and row:
        return f"{reveal(row)} {_LOCKED[code]}"
    return reveal_text(row) if code in _UNREAD and row else ""
