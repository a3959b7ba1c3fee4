"""The function that writes a whole wallet on its project's node, where Citus distributes the tables (docs/adr/0051).

Its body is the statements that write a wallet one after another, in the same order and with the same checks, with the
schema of each name in it: search_path decides nothing there. Its name ends in a digest of it, so that a version of
strongroom calls its own function or none. Whether the one of that name is this one, ``profile.functions`` says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from strongroom.store.catalog.wallet_functions import FoundFunction
from strongroom.store.connection.own_functions import LOST_SLOT, SWALLOWED, WRITES_WALLET
from strongroom.store.connection.qualified import identifier, qualified
from strongroom.store.schema import project_credentials
from strongroom.store.statements import Statements

_PARAMETER = re.compile(r"%\((\w+)\)s::(pg_catalog\.\w+|TIMESTAMP WITH TIME ZONE|\w+)")
_TYPES = {
    "pg_catalog.UUID": "uuid",
    "pg_catalog.JSONB": "jsonb",
    "VARCHAR": "text",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
"""The types of arguments, as ``oidvectortypes`` names them."""
_QUALIFIED = {
    "uuid": "pg_catalog.uuid",
    "jsonb": "pg_catalog.jsonb",
    "text": "pg_catalog.text",
    "integer": "pg_catalog.int4",
    "bigint": "pg_catalog.int8",
    "timestamp with time zone": "pg_catalog.timestamptz",
}
_BODY = """
DECLARE
    written pg_catalog.int8;
BEGIN
    -- The commit is this node's own: it waits for the disk, whatever the setting of the session.
    IF pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' THEN
        PERFORM pg_catalog.set_config('synchronous_commit', 'on', true);
    END IF;
    IF {idempotency_key} IS NOT NULL THEN
        {take_idempotency};
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written OPERATOR(pg_catalog.=) 0 THEN
            RETURN false;
        END IF;
    END IF;
    {find_sealing_key};
    IF FOUND THEN
        {name_slot};
        GET DIAGNOSTICS written = ROW_COUNT;
    ELSE
        written := 0;
    END IF;
    IF written OPERATOR(pg_catalog.=) 0 THEN
        IF {idempotency_key} IS NOT NULL THEN
            RAISE EXCEPTION 'strongroom: the slot is taken' USING ERRCODE = '{lost_slot}';
        END IF;
        RETURN false;
    END IF;
{rows}
    RETURN true;
END """
_ROW = """\
    {statement};
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written OPERATOR(pg_catalog.<>) 1 THEN
        RAISE EXCEPTION 'strongroom: a row was kept out' USING ERRCODE = '{swallowed}';
    END IF;"""


class WalletFunction(NamedTuple):
    """The function, as it is made and called."""

    schema: str
    name: str
    types: str
    """Of its arguments, as ``oidvectortypes`` says them."""
    body: str
    call: str
    """The statement that calls it, with named parameters."""

    @property
    def signature(self) -> str:
        """Its name with its schema and types, as SQL writes it."""
        return (
            f"{identifier(self.schema)}.{self.name}({', '.join(map(_QUALIFIED.__getitem__, self.types.split(', ')))})"
        )

    def to_make(self) -> tuple[str, ...]:
        """The statements that make it, in one transaction; another function of its name and types is dropped first.

        Whoever owned that one would own this one, too, if it were replaced.
        """
        make = (
            f"CREATE FUNCTION {self.signature} RETURNS pg_catalog.bool LANGUAGE plpgsql "
            f"AS $strongroom${self.body}$strongroom$"
        )
        return (
            f"DROP FUNCTION IF EXISTS {self.signature}",
            make,
            f"REVOKE ALL ON FUNCTION {self.signature} FROM PUBLIC",
        )

    def is_made_as(self, found: FoundFunction) -> bool:
        """Whether one that is there is this one, letter for letter, and its owner one that may own the tables."""
        same = (found.schema, found.name, found.types, found.body) == (self.schema, self.name, self.types, self.body)
        return same and found.plain and found.trusted


def wallet_function(sql: Statements, schemas: Mapping[str, str]) -> WalletFunction:
    """The function of this version for tables in these schemas, which are divided by project."""
    numbers, kinds = {"project_id": 1}, {"project_id": "uuid"}  # the first argument says on which node it runs

    def number(found: re.Match[str]) -> str:
        kinds[found[1]] = _TYPES[found[2]]  # a cast that only renames the type is more than Citus 13.2 takes on a node
        return f"${numbers.setdefault(found[1], len(numbers) + 1)}"

    def written(text: str) -> str:
        return _PARAMETER.sub(number, qualified(text, schemas)).replace("%%", "%")

    wallets = sql.wallets
    take_idempotency = written(wallets.take_idempotency)
    looked = written(sql.keyring.find_sealing_key)
    name_slot = written(sql.slots.name_slot)
    inserts = (wallets.insert_credential, wallets.insert_vault_record, sql.register.insert_record, sql.log.insert_log)
    body = _BODY.format(
        idempotency_key=f"${numbers['idempotency_key']}",
        take_idempotency=take_idempotency,
        find_sealing_key="PERFORM" + looked.removeprefix("SELECT"),
        name_slot=name_slot,
        rows="\n".join(_ROW.format(statement=written(each), swallowed=SWALLOWED) for each in inserts),
        lost_slot=LOST_SLOT,
    )
    home, types = schemas[project_credentials.name], ", ".join(kinds[name] for name in numbers)
    name = WRITES_WALLET + hashlib.sha256(f"{types}\n{body}".encode()).hexdigest()[:12]
    given = ", ".join(f"%({each})s::{_QUALIFIED[kinds[each]]}" for each in numbers)
    return WalletFunction(home, name, types, body, f"SELECT {identifier(home)}.{name}({given})")
