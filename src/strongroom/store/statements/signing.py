"""Grant signatures: read wallets, arbitrate nonces, write log rows, in one statement."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import text as text_sql
from sqlalchemy import update
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Statement
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import CREDENTIAL, LOG, NONCE, NONCE_ROW, VAULT
from strongroom.store.statements.usage_log import LogStatements
from strongroom.store.statements.wallet_row import COLUMNS, WalletRow

_ROW = WalletRow(*(f"w_{name}" for name in COLUMNS))
_RECORDED, _RETIRED = "r_status", ("revoked", "replaced")
"""The state that the register says; its columns are read whole on legacy tables alone."""
_STATE = (
    f"CASE WHEN {_ROW.revoked_at} IS NOT NULL OR {_ROW.status}::text = 'revoked' {{revoked}}THEN 'revoked' "
    f"WHEN {_ROW.status}::text = 'replaced' {{replaced}}THEN 'replaced' "
    f"WHEN {_ROW.status}::text <> 'active' THEN 'unknown' "
    f"WHEN {_ROW.is_active} IS FALSE THEN 'revoked' ELSE 'live' END"
)
"""With a status that is none of ours nothing is signed."""
_SEVERAL = """
            SELECT * FROM unnest(%(ids)b::uuid[], %(projects)b::uuid[], %(log_ids)b::uuid[],
                                 %(details)b::text[], %(actors)b::uuid[],
                                 %(chains)b::text[], %(addresses)b::text[], %(nonces)b::text[], %(digests)b::text[],
                                 %(fees)b::text[], %(tag_kids)b::text[], %(nonce_tags)b::text[],
                                 %(retired)b::boolean[]) WITH ORDINALITY
                AS a (wallet_id, asked_project, log_id, details, performed_by, chain_id, address, nonce, digest, fee,
                      tag_kid, nonce_tag, allow_retired, n)"""
_ONE = """
            SELECT %(id)s::uuid AS wallet_id, %(project_id)s::uuid AS asked_project, %(log_id)b::uuid AS log_id,
                   %(details)b::text AS details,
                   %(performed_by)b::uuid AS performed_by, %(chain_id)b::text AS chain_id,
                   %(address)b::text AS address, %(nonce)b::text AS nonce, %(digest)b::text AS digest,
                   %(fee)b::text AS fee, %(tag_kid)b::text AS tag_kid, %(nonce_tag)b::text AS nonce_tag,
                   %(allow_retired)b::boolean AS allow_retired"""
_SAME = "x.chain_id = {0}.chain_id AND x.address = {0}.address AND x.nonce = {0}.nonce"
_NONCE_COLUMNS = "project_id, chain_id, address, nonce, credential_id, digest, fee"
_KNOWN = f"""
            SELECT {_NONCE_COLUMNS}, kid, tag FROM strongroom_nonce x
             WHERE {{own}}EXISTS (SELECT FROM allowed p
                                   WHERE x.project_id = p.{_ROW.project_id} AND {_SAME.format("p")})"""  # noqa: S608
_UNTAGGED = f"""
            UNION ALL
            SELECT x.project_id, x.chain_id::text, p.address, x.nonce::text, x.credential_id, x.digest::text, x.fee,
                   NULL::text, NULL::text
              FROM strongroom_nonce_untagged x JOIN allowed p ON x.project_id = p.{_ROW.project_id}
               AND x.credential_id = p.wallet_id AND x.chain_id::text = p.chain_id AND x.nonce::text = p.nonce
             WHERE NOT EXISTS (SELECT FROM strongroom_nonce t WHERE t.project_id = p.{_ROW.project_id}
                                  AND t.chain_id = p.chain_id AND t.address = p.address AND t.nonce = p.nonce)"""  # noqa: S608 - our own names
_NONCES = f"""
        taken AS (
            INSERT INTO strongroom_nonce ({_NONCE_COLUMNS}, created_at, updated_at, kid, tag)
            SELECT {_ROW.project_id}, chain_id, address, nonce, wallet_id, digest, fee,
                   %(now)b, %(now)b, tag_kid, nonce_tag
              FROM allowed p
             WHERE nonce IS NOT NULL AND NOT EXISTS (SELECT FROM known x WHERE {_SAME.format("p")})
                ON CONFLICT DO NOTHING RETURNING chain_id, address, nonce, digest),
        passed AS (
            SELECT * FROM allowed p WHERE nonce IS NULL
                OR EXISTS (SELECT FROM taken x WHERE {_SAME.format("p")} AND x.digest = p.digest)
                OR EXISTS (SELECT FROM known x WHERE {_SAME.format("p")} AND x.digest = p.digest)),"""  # noqa: S608
_BEFORE = f"LEFT JOIN known x ON x.project_id = l.{_ROW.project_id} AND {_SAME.format('l')}"
_SIGNED = "substr({0}digest, 1, 2048), substr({0}fee, 1, 2048), {0}credential_id"
_TAG = "substr({0}kid, 1, 2048), substr({0}tag, 1, 2048)"
_FOUND = f"{_SIGNED.format('x.')}, {_TAG.format('x.')}"


class SigningStatements(LogStatements):
    """Statements that grant a signature: the log row, and the use of the replay scope."""

    @Statement
    def use_nonce(self) -> Executable:
        """What was signed under a nonce, unless something was before."""
        return self.insert(NONCE, NONCE_ROW, arbitrated=True)

    @Statement
    def find_nonce(self) -> Executable:
        """What was signed under a nonce."""
        return text_sql(
            f"SELECT {_SIGNED.format('')}, {_TAG.format('')} FROM strongroom_nonce "  # noqa: S608 - our own names
            "WHERE project_id = :project_id "
            "AND chain_id = :chain_id AND address = :address AND nonce = :nonce"
        )

    @Statement
    def any_nonce_of_other_spelling(self) -> Executable:
        """Whether a nonce was used by an address in small letters or capitals alone."""
        return text_sql(
            "SELECT EXISTS (SELECT 1 FROM strongroom_nonce "
            "WHERE address = lower(address) OR substr(address, 3) = upper(substr(address, 3)))"
        )

    @Statement
    def find_untagged_nonce(self) -> Executable:
        """What an older version signed under a nonce, until an upgrade has moved it."""
        return text_sql(
            f"SELECT {_SIGNED.format('')}, NULL, NULL FROM strongroom_nonce_untagged "  # noqa: S608 - our own names
            "WHERE project_id = :project_id AND credential_id = :id AND chain_id = :chain_id AND nonce = :nonce"
        )

    @Statement
    def replace_nonce(self) -> Executable:
        """Another payload under a nonce of an account, if the one before is still that of a digest."""
        return (
            update(NONCE)
            .values(
                digest=param("digest", NONCE.c.digest),
                fee=param("fee", NONCE.c.fee),
                credential_id=param("id", NONCE.c.credential_id),
                updated_at=param("now", NONCE.c.updated_at),
                kid=param("tag_kid", NONCE.c.kid),
                tag=param("nonce_tag", NONCE.c.tag),
            )
            .where(
                equals(NONCE.c.project_id, "project_id"),
                equals(NONCE.c.chain_id, "chain_id"),
                equals(NONCE.c.address, "address"),
                equals(NONCE.c.nonce, "nonce"),
                equals(NONCE.c.digest, "old_digest"),
            )
        )

    @cached_property
    def levels(self) -> str:
        """Whether the access level allows it; where the schema has none, it does."""
        return (
            f"{_ROW.access_level}::text IN ('project_admin', 'project_member')"
            if self.has(VAULT.c.access_level)
            else "true"
        )

    @cached_property
    def _state(self) -> str:
        """The state that a wallet's row says; on legacy tables the stricter of what row and register say."""
        recorded = {} if self.foreign is None else {name: f"OR {_RECORDED} = '{name}' " for name in _RETIRED}
        return _STATE.format(**{name: recorded.get(name, "") for name in _RETIRED})

    def authorize(self, *, several: bool, nonces: bool) -> str:
        """Every record, in order: its wallet, whether it may sign, whether its row was written, what was there before.

        Built for what is asked, since most signatures are asked for one by one and without a nonce: ``several`` takes
        arrays, else one record comes in plain parameters (and no row comes back where its wallet is not there);
        without ``nonces`` no record may have one.

        All of it sees one snapshot. A nonce that another transaction took meanwhile is neither taken nor known here:
        the record is not granted, and asked again. Where a trigger or rule keeps a log row out, it divides by zero, and
        nothing of it is written.
        """
        return self._authorize[several, nonces]

    @cached_property
    def _authorize(self) -> dict[tuple[bool, bool], str]:
        both = (False, True)
        return {(several, nonces): self._built(several, nonces) for several in both for nonces in both}

    def _built(self, several: bool, nonces: bool) -> str:
        row = self.wallet_row(self.named_by)._replace(
            id=self.uuid(CREDENTIAL.c.id), project_id=self.uuid(CREDENTIAL.c.project_id)
        )
        columns = [column.label(name) for name, column in zip(_ROW, row, strict=True)]
        record = zip(self.record_names(), self.record_columns(), strict=True)
        columns += [column.label(f"r_{name}") for name, column in record]
        wallets = self.wallets().with_only_columns(*columns).where(*self._named(several=several))
        shown = ", ".join(f"l.{column.name}" for column in columns)
        passes = "passed" if nonces else "allowed"
        one_project = "x.project_id = %(project_id)s::uuid AND " if self.sharded and not several else ""
        known = _KNOWN.format(own=one_project)
        log_id = self.written_as(LOG, {"id": "l.log_id"}).get("id")
        written = "logged g WHERE g.id" if log_id else f"{passes} g WHERE g.log_id"
        return f"""WITH asked AS ({_SEVERAL if several else _ONE}),
        wallet AS ({wallets.compile(dialect=self.dialect)}),
        looked AS (SELECT a.*, w.*, {self._state} AS state, {self.levels} AS access_allowed
                     FROM asked a {"LEFT JOIN" if several else "JOIN"} wallet w ON w.{_ROW.id} = a.wallet_id),
        allowed AS (SELECT * FROM looked WHERE {_ROW.id} IS NOT NULL AND {_ROW.sealed_text} IS NOT NULL
                       AND access_allowed AND (state = 'live' OR (state = 'replaced' AND allow_retired))),
        {f"known AS ({known}{_UNTAGGED if self.untagged_nonces else ''})," if nonces else ""}
        {_NONCES if nonces else ""}
        logged AS ({self._log_rows(passes)} RETURNING id)
        SELECT {shown}, l.state, l.access_allowed, EXISTS (SELECT FROM {written} = {log_id or "l.log_id"}),
               {_FOUND if nonces else "NULL, NULL, NULL, NULL, NULL"},
               1 / (CASE WHEN (SELECT count(*) FROM logged) = (SELECT count(*) FROM {passes}) THEN 1 ELSE 0 END)
          FROM looked l {_BEFORE if nonces else ""} {"ORDER BY l.n" if several else ""}"""  # noqa: S608 - our own names

    def _named(self, *, several: bool) -> tuple[Any, ...]:
        """That a credential is one of those that are asked for."""
        if not several:
            return self.is_id(CREDENTIAL.c.id, "id"), *self.of_project(CREDENTIAL)
        if self.sharded:
            asked = "(SELECT asked_project, wallet_id FROM asked)"
            return (text_sql(f"(project_credentials.project_id, project_credentials.id) IN {asked}"),)
        (asked,) = self.written_as(CREDENTIAL, {"id": "wallet_id"}).values()
        return (text_sql(f"project_credentials.id IN (SELECT {asked} FROM asked)"),)  # noqa: S608 - our own names

    def _log_rows(self, source: str) -> str:
        """An INSERT of the log rows of the records that pass."""
        row = {
            "log_id": "p.log_id",
            "project_id": f"p.{_ROW.project_id}",
            "id": "p.wallet_id",
            "action": "'sign'",
            "details": "p.details",
            "performed_by": "p.performed_by",
            "now": "(%(now)b::timestamptz)",
        }
        return self.insert_logs(row, f"{source} p")
