"""Standbys of a PostgreSQL server, and whether commits wait for one of them."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.store.connection.database import CatalogueReader

_MAY_LOOK = """
SELECT bool_and(pg_catalog.has_table_privilege(name, 'SELECT'))
  FROM unnest(ARRAY['pg_catalog.pg_stat_replication', 'pg_catalog.pg_replication_slots']) AS views (name)
"""
# To a role that is not in pg_monitor the state is NULL; the row itself and the name are shown to everybody.
_STANDBYS = """
SELECT count(*)::int, pg_catalog.current_setting('synchronous_standby_names'),
       pg_catalog.current_setting('synchronous_commit')
  FROM pg_catalog.pg_stat_replication r
 WHERE NOT pg_catalog.pg_is_in_recovery() AND coalesce(r.state, '') <> 'backup'
   AND coalesce(r.application_name, '') NOT IN ('pg_basebackup', 'pg_receivewal')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots s
                    WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
"""


@dataclass(frozen=True, slots=True)
class Standbys:
    """The standbys that are connected to a primary; logical subscribers and backups are none."""

    number: int
    names: str = ""
    """The setting ``synchronous_standby_names``."""
    synchronous_commit: str = "on"

    @property
    def remark(self) -> str | None:
        """What is to be said where no commit waits for any of them; None where nothing is."""
        if self.number and not self.names.strip():
            reason = "synchronous_standby_names is empty"
        elif self.number and self.synchronous_commit == "local":
            reason = "synchronous_commit is local"
        else:
            return None
        which = "A standby follows this server" if self.number == 1 else f"{self.number} standbys follow this server"
        return (
            f"{which}, and no commit waits for one ({reason}): where a standby takes the server's place, the last "
            "wallets that were reported as stored are lost."
        )


NO_STANDBYS = Standbys(0)


def read_standbys(database: CatalogueReader) -> Standbys:
    """Look who is connected. None is seen on SQLite, from a standby, and by a role that may not look."""
    if database.engine.dialect.name != "postgresql" or database.read(_MAY_LOOK, {}) != [(True,)]:
        return NO_STANDBYS
    return Standbys(*database.read(_STANDBYS, {})[0])
