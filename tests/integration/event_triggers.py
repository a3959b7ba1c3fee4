"""How a session works past the guard's event triggers, on every release of PostgreSQL."""

from __future__ import annotations

from testbed.servers.releases import MAJOR

_DISABLED = (
    "DO $$ DECLARE each name; BEGIN FOR each IN SELECT evtname FROM pg_event_trigger LOOP "
    "EXECUTE format('ALTER EVENT TRIGGER %%I DISABLE', each); END LOOP; END $$;"
)
OFF = "SET event_triggers = off;" if MAJOR >= 17 else _DISABLED
"""For the database module's ``execute``, which doubles no percent sign; before 17 for good, not for the session."""
