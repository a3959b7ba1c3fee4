"""In which schema a vault is, or would be made (PostgreSQL; docs/adr/0021-schema.md).

Without a setting it is looked for in the schemas of search_path, in ``strongroom`` and in ``public``. What is not on
the path was named by nobody: it is believed only where its schema and its tables belong to the role in use, to a
superuser or to the owner of the database. Nothing but the catalogue is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from strongroom.errors import SchemaNotNamedError, SchemaRefusedError
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS
from strongroom.store.connection.sql_writer import identifier

DEFAULT_SCHEMA = "strongroom"
"""The schema that tables are made in where the setting names none."""
SEARCHED = (DEFAULT_SCHEMA, "public")
"""The schemas that are searched in addition to those of search_path."""

TRUSTED = (
    "({0}.rolsuper OR {0}.rolname = current_user OR {0}.rolname = 'pg_database_owner' OR {0}.oid = "
    "(SELECT d.datdba FROM pg_database d WHERE d.datname = current_database()))"
)
"""That a role, a row of pg_roles, needs no trap: a superuser, the role in use, or who owns the database."""
OWNER_OF_WALLETS = "{0}.relowner = w.relowner"
"""That a table has the owner of the wallets ``w``. Who may only write them is not believed."""
PLAIN = """NOT EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                      AND t.typnamespace <> 'pg_catalog'::regnamespace)"""
"""That every column of ``c`` is of a type of PostgreSQL's own, which nobody can make a cast of."""
_VAULTS = f"""
SELECT n.nspname::text, array_position(current_schemas(false), n.nspname) IS NOT NULL,
       {TRUSTED.format("o")} AND {TRUSTED.format("r")}, {TRUSTED.format("r")} OR r.oid = o.oid OR EXISTS (
           SELECT 1 FROM pg_class w JOIN pg_namespace m ON m.oid = w.relnamespace
            WHERE w.relname = '{CREDENTIALS}' AND w.relkind IN ('r', 'p') AND {OWNER_OF_WALLETS.format("c")}
              AND (m.oid = n.oid OR m.nspname = ANY(current_schemas(false)))),
       has_schema_privilege(n.oid, 'USAGE'), current_user::text
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_roles o ON o.oid = n.nspowner
  JOIN pg_roles r ON r.oid = c.relowner
 WHERE c.relname = '{schema.VERSION_TABLE}' AND c.relkind IN ('r', 'p') AND {PLAIN}
 ORDER BY array_position(current_schemas(false), n.nspname), 1
"""  # noqa: S608 - constants
_WALLETS = f"""
SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relname = '{CREDENTIALS}' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
   AND has_schema_privilege(n.oid, 'USAGE') ORDER BY 1
"""  # noqa: S608 - constants

_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = %(name)s"


class _Reader(Protocol):
    def read(self, sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class _Vault:
    """A version table, as the catalogue has it."""

    home: str
    on_path: bool
    trusted: bool
    """Whether schema and table belong to those who need no trap."""
    believed: bool
    """Whether the table belongs to such a role, to the owner of its schema, or to that of the wallets."""
    usable: bool
    """Whether the role may look into the schema."""
    role: str


@dataclass(frozen=True, slots=True)
class Location:
    """The schema in which a vault is, or would be made, and how it was found."""

    home: str
    """The schema of the tables that begin with strongroom_."""
    found: bool
    """Whether a vault is there; otherwise it would be made there."""
    named: bool
    """Whether the setting names it."""
    others: tuple[str, ...] = ()
    """Other schemas with a vault; without the setting, those that the role can see."""
    exists: bool = True
    """Whether there is a schema of the name that the setting has."""


def locate(database: _Reader, wanted: str | None) -> Location:
    """Find the vault; ``wanted`` is the setting.

    Raises SchemaNotNamedError where there are two, SchemaRefusedError where the role may not use its schema.
    """
    vaults = [_Vault(*row) for row in database.read(_VAULTS, {})]
    if wanted is not None:
        found = [each for each in vaults if each.home == wanted and each.believed]
        _require_usable(found)
        rest = [each for each in vaults if each.home != wanted and each.believed]
        exists = bool(found) or bool(database.read(_SCHEMA, {"name": wanted}))
        return Location(wanted, bool(found), True, _names(rest), exists)
    searched = [each for each in vaults if each.on_path or each.home in SEARCHED]
    believed = [each for each in searched if each.trusted]
    believed = believed or [each for each in searched if each.on_path and each.believed]
    if len(believed) > 1:
        names = ", ".join(_names(believed))
        raise SchemaNotNamedError(f"The database has more than one vault, in the schemas {names}.")
    _require_usable(believed)
    if believed:
        return Location(believed[0].home, True, False)
    return Location(DEFAULT_SCHEMA, False, False, _names(each for each in vaults if each.usable and each.believed))


def _require_usable(found: list[_Vault]) -> None:
    for each in found:
        if not each.usable:
            raise SchemaRefusedError(
                f"The role {each.role} may not use the schema {each.home}, where the vault is.",
                hint=f"GRANT USAGE ON SCHEMA {identifier(each.home)} TO {identifier(each.role)};",
            )


def wallet_schemas(database: _Reader) -> tuple[str, ...]:
    """Every schema that the role can see and that has a table of wallets in it."""
    return tuple(name for (name,) in database.read(_WALLETS, {}))


def require_existing(where: Location | None, schemas: Mapping[str, str], found: bool) -> None:
    """Raise SchemaNotNamedError where the setting names a schema that is not there: a reader makes none.

    ``found``: whether there are wallet tables all the same, on the role's search_path.
    """
    if where is None or where.exists:
        return
    elsewhere = f" The wallet tables are in the schema {schemas.get(CREDENTIALS)}." if found else ""
    raise SchemaNotNamedError(
        f"There is no schema {where.home}.{elsewhere}",
        hint="Check the name (--schema, STRONGROOM_SCHEMA, or schema in strongroom.toml), or leave it out: tables on "
        "the role's search_path are found without it. `strongroom init` makes the schema that it names.",
    )


def require_named(
    where: Location | None,
    schemas: Mapping[str, str],
    wallets_elsewhere: tuple[str, ...],
    *,
    another_vault: bool = False,
) -> None:
    """Raise SchemaNotNamedError where a second vault, or a second set of wallet tables, would be made or missed.

    ``schemas`` says where each table is, or would be made; ``wallets_elsewhere``, where there are wallet tables that
    were not found. ``another_vault``: a second vault is meant.
    """
    if where is None or where.found:
        return
    if where.named and where.others:
        same_wallets = schemas.get(CREDENTIALS) != where.home
        if another_vault and not same_wallets:
            return
        hint = "Name that schema: --schema NAME, STRONGROOM_SCHEMA, or schema in strongroom.toml."
        if same_wallets:
            hint += (
                " Two keyrings are never made over the same wallet tables: where those of the other vault are on the "
                "role's search_path, a second vault needs a role that does not have that schema on it."
            )
        else:
            hint += (
                f" A second, empty vault with a keyring of its own in {where.home} is made by "
                "`strongroom init --another-vault`."
            )
        raise SchemaNotNamedError(
            f"The schema {where.home} has no vault, and there is one in {in_schemas(where.others)}. "
            "Nothing was changed.",
            hint=hint,
        )
    if where.named:
        return
    if where.others:
        raise SchemaNotNamedError(
            f"There is a vault in {in_schemas(where.others)}, which no setting names, and which is not searched or "
            "belongs to another role. Nothing was changed."
        )
    if wallets_elsewhere:
        raise SchemaNotNamedError(
            f"There are wallet tables in {in_schemas(wallets_elsewhere)}, and none in the search_path. "
            "Nothing was changed, and no second set was made.",
            hint="Name the schema with --schema NAME: strongroom's own tables go there, too. To have those in the "
            "schema strongroom instead, put the other one on the role's search_path.",
        )


def in_schemas(names: tuple[str, ...]) -> str:
    """Where something is, as a message says it."""
    return f"the schema {names[0]}" if len(names) == 1 else f"the schemas {', '.join(names)}"


def _names(vaults: Iterable[_Vault]) -> tuple[str, ...]:
    return tuple(each.home for each in vaults)
