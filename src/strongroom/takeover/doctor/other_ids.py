"""Wallets whose ids are no UUIDs: commands name wallets by UUIDs alone, so another way leads to the text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from strongroom.errors import InvalidProjectError
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import CREDENTIALS, VAULT, Finding, shown_id

_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN_NAME = re.compile("[a-z_][a-z0-9_]*")
_COLUMN = {CREDENTIALS: "metadata", VAULT: "encrypted_private_key"}
_WRITING = ("wallet move-key", "history restore", "wallet store-key")
"""What asks for every word that it might write."""
_LOGGED = ("wallet export", "history reveal")
_LACKING = "an enum lacks a value that is written then: first the SQL that column-type prints, then"
_NO_UUID = "its id is no UUID, and strongroom's commands name wallets by nothing else"
_HIDDEN = "the id is not printed, since it may be a key: the SQL finds the row by the MD5 of the id"
_BLOCKED = "no vault can be made before the columns are changed that column-type names: a repair needs one"
_OF_A_TYPE = "a repair does not work on ids of this type: see column-type"


def is_project(project_id: str | None) -> bool:
    """Whether a project id is one that strongroom knows: a UUID in lower case, as PostgreSQL writes it."""
    return project_id is not None and _UUID.fullmatch(project_id) is not None


def require_project(project_id: str | None) -> None:
    """Raise InvalidProjectError where a row's project id is none that strongroom knows."""
    if not is_project(project_id):
        raise InvalidProjectError("The project id in a row of the wallet tables is no UUID in lower case.")


@dataclass(frozen=True, slots=True)
class OtherIds:
    """How findings about such wallets are told."""

    every: bool = False
    """Whether the type of a column holds no UUID, so that no vault can be here."""
    schemas: Mapping[str, str] | None = None
    """The schema of each table, where SQL reads them with psql."""
    blocked: bool = False
    """Whether columns have to be changed before a vault can be made."""
    lacking: frozenset[str] = frozenset()
    """The words that enums of these tables lack: what writes them is refused."""

    def told(self, finding: Finding) -> Finding:
        """A finding with a command that works in such a database; without one where there is no text to read."""
        found = self._told(finding)
        logged = any(verb in found.command for verb in _LOGGED) and "export" in self.lacking
        if logged or (self.lacking and any(verb in found.command for verb in _WRITING)):
            why = f"{found.evidence}; {_LACKING}: `{found.command}`"
            return replace(found, evidence=why, named_command="", by_hand=True)
        return found

    def _told(self, finding: Finding) -> Finding:
        if self.every or self.blocked:
            why = (
                f"{finding.evidence}; {_OF_A_TYPE if self.every else _BLOCKED}"
                if finding.automatic
                else finding.evidence
            )
            repair = "ask" if finding.automatic else finding.repair
            command = self._read(finding) if finding.command else ""
            return replace(finding, evidence=why, repair=repair, automatic=False, named_command=command, by_hand=True)
        if finding.code not in commands.ABOUT_A_KEY or finding.orphan or finding.table not in _COLUMN:
            return finding
        if finding.credential_id is None or _UUID.fullmatch(finding.credential_id):
            return finding
        repair = "ask" if finding.automatic else finding.repair
        in_vault = finding.table == VAULT and finding.row == shown_id(finding.row)
        command = commands.reveal_text(finding.row or "") if in_vault else self._read(finding)
        if finding.code not in commands.OF_TEXTS:
            command = ""
        hidden = "" if finding.row == shown_id(finding.row) else f"; {_HIDDEN}"
        return replace(
            finding,
            evidence=f"{finding.evidence}; {_NO_UUID}{hidden}",
            repair=repair,
            automatic=False,
            named_command=command,
            by_hand=True,
        )

    def _read(self, finding: Finding) -> str:
        """The SQL that prints a text, or the metadata of a credential."""
        table, row = finding.table or "", finding.row
        if self.schemas is None or finding.code not in commands.OF_TEXTS or row is None or table not in _COLUMN:
            return ""
        home = self.schemas.get(table, "public")
        named = home if _PLAIN_NAME.fullmatch(home) else '\\"' + home.replace('"', '\\"\\"') + '\\"'
        same = f"id = '{row}'" if row == shown_id(row) else f"md5(id::text) = '{_digest(row)}'"
        sql = f"SELECT {_COLUMN[table]} FROM {named}.{table} WHERE {same}"  # noqa: S608 - an id that is shown
        return f'{commands.PSQL} "{sql}"'


def _digest(row: str) -> str:
    """What PostgreSQL's md5() says of an id: it names a row, and protects nothing."""
    return hashlib.md5(row.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()
