"""Asking the records and rows of other projects than one for keys, addresses and paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from uuid import UUID

from strongroom.store.ground import Ground
from strongroom.store.statements.register_rows import uuid_of


class OwnerStore(Ground):
    """What other projects have."""

    def is_of_another_project(self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str]) -> bool:
        """Whether a record or a row has one of the keys or addresses for another project than this, however spelled."""
        spellings = sorted({form for each in (*public_keys, *addresses) for form in _spellings(each)})
        named = {
            "spellings": spellings if self._sql.writes_in_one else json.dumps(spellings),
            "spaces": " \t\r\n\v\f\u00a0\u200b\ufeff",
            "project_id": project_id,
        }
        asked = (self._sql.key_of_another_project, self._sql.row_of_another_project)
        return any(self._database.read(sql, named)[0][0] for sql in asked)

    def paths_of_other_projects(self, project_id: UUID, limit: int) -> list[tuple[str, str, str]]:
        """Networks, schemes and paths of the records of wallets of other projects, each once; so many at most."""
        found = self._database.read(self._sql.paths_of_other_projects, {"project_id": project_id, "limit": limit})
        return [(str(network), str(scheme), str(path)) for network, scheme, path in found]

    def wallets_of_other_projects(self, project_id: UUID, public_key: str) -> list[UUID]:
        """The ids of wallets of other projects that have a public key, by the register; 16 at most."""
        named = {"public_key": public_key, "project_id": project_id}
        return [uuid_of(row[0]) for row in self._database.read(self._sql.wallets_of_other_projects, named)]


def _spellings(text: str) -> Iterator[str]:
    """An address or a key in hexadecimal digits, as rows are compared with it."""
    bare = re.sub("[^0-9a-z]", "", text.lower())
    yield bare
    if bare.startswith("0x"):
        yield bare[2:]
