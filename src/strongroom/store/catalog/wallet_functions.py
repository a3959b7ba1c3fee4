"""The functions that have the name of the one that writes a wallet on its node, as the catalogue has them."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.store.connection.database import CatalogueReader
from strongroom.store.connection.own_functions import WRITES_WALLET

_FUNCTIONS = f"""
SELECT n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes), p.prosrc, pg_get_userbyid(p.proowner)::text,
       p.prokind = 'f' AND l.lanname = 'plpgsql' AND p.prorettype = 'bool'::regtype AND NOT p.proretset
           AND NOT p.prosecdef AND NOT p.proisstrict AND p.provolatile = 'v' AND p.proconfig IS NULL
           AND p.provariadic = 0 AND p.pronargdefaults = 0 AND p.prosupport::oid = 0,
       pg_has_role(p.proowner, c.relowner, 'MEMBER'),
       has_function_privilege(p.oid, 'EXECUTE'),
       EXISTS (SELECT 1 FROM pg_catalog.pg_dist_object d
                WHERE d.classid = 'pg_catalog.pg_proc'::regclass::oid AND d.objid = p.oid
                  AND d.distribution_argument_index = 0)
  FROM pg_proc p JOIN pg_class c ON c.relnamespace = p.pronamespace AND c.relname = 'project_credentials'
  JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
 WHERE is_located(c) AND p.proname LIKE '{WRITES_WALLET.replace("_", chr(92) + "_")}%%' ORDER BY 2, 3
"""  # noqa: S608 - a constant


class FoundFunction(NamedTuple):
    """A function in the schema of the credentials."""

    schema: str
    name: str
    types: str
    """Of its arguments, as ``oidvectortypes`` says them."""
    body: str
    owner: str
    plain: bool
    """Whether it is one of PL/pgSQL that returns true or false, has no settings and runs as the role that calls it."""
    trusted: bool
    """Whether its owner may do all that the owner of the credentials may."""
    callable: bool
    """Whether the role in use may call it."""
    distributed: bool
    """Whether Citus runs it on the node that its first argument names."""


def read_wallet_functions(database: CatalogueReader) -> tuple[FoundFunction, ...]:
    """All of them, on a server with Citus."""
    return tuple(FoundFunction(*row) for row in database.read(_FUNCTIONS, {}))
