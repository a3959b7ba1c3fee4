"""Whether row-level security could hide rows from the role in use, or lets it have every row.

``row_security_active`` is true wherever a policy is applied, also where it says ``USING (true)``. So the policies
themselves are read: rows are not hidden where no restrictive policy is for the role, and where for each command that
the role has a privilege for a permissive one is, that says ``true``.
"""

from __future__ import annotations

_FOR_ROLE = (
    "EXISTS (SELECT 1 FROM unnest(p.polroles) AS to_role (id) WHERE to_role.id = 0 OR pg_has_role(to_role.id, 'USAGE'))"
)
_SAYS_TRUE = "pg_get_expr(p.polqual, p.polrelid) = 'true'"
_CHECKS_TRUE = "coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) = 'true'"
_USED = """(u.privilege = 'SELECT' OR has_table_privilege(c.oid, u.privilege)
           OR (CASE WHEN u.privilege = 'DELETE' THEN false ELSE has_any_column_privilege(c.oid, u.privilege) END))"""
LETS_ALL_PASS = f"""(NOT EXISTS (
        SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND {_FOR_ROLE})
    AND NOT EXISTS (
        SELECT 1 FROM (VALUES ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd'))
                      AS u (privilege, command)
         WHERE {_USED} AND NOT EXISTS (
               SELECT 1 FROM pg_policy p
                WHERE p.polrelid = c.oid AND p.polpermissive AND {_FOR_ROLE}
                  AND (p.polcmd::text = '*' OR p.polcmd::text = u.command)
                  AND (u.command = 'a' OR {_SAYS_TRUE})
                  AND (u.command = 'r' OR u.command = 'd' OR {_CHECKS_TRUE}))))"""  # noqa: S608 - constants
"""That the policies of a table ``c``, a row of pg_class, let the role in use have and write every row."""
HIDDEN = f"(row_security_active(c.oid) AND NOT {LETS_ALL_PASS})"
"""That row-level security could hide rows of ``c`` from the role in use."""
