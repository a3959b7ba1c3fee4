"""Grant signatures: read wallets, arbitrate nonces, write log rows, in one statement."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import text as text_sql
from sqlalchemy import update
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Building, Statement, equals, param
from strongroom.store.statements.tables import CREDENTIAL, LOG, NAMED_BY, NONCE, NONCE_ROW, VAULT

WALLET_COLUMNS = 17
_STATUS, _IS_ACTIVE, _REVOKED_AT, _LEVEL, _TEXT = "w9", "w10", "w11", "w14", "w16"
_STATE = (
    f"CASE WHEN {_REVOKED_AT} IS NOT NULL OR {_STATUS} = 'revoked' THEN 'revoked' WHEN {_STATUS} = 'replaced' "
    f"THEN 'replaced' WHEN {_IS_ACTIVE} IS FALSE THEN 'revoked' ELSE 'live' END"
)
_SEVERAL = """
            SELECT * FROM unnest(%(ids)b::uuid[], %(log_ids)b::uuid[], %(details)b::text[], %(actors)b::uuid[],
                                 %(chains)b::text[], %(nonces)b::text[], %(digests)b::text[], %(fees)b::text[],
                                 %(retired)b::boolean[]) WITH ORDINALITY
                AS a (wallet_id, log_id, details, performed_by, chain_id, nonce, digest, fee, retired_too, n)"""
_ONE = """
            SELECT %(id)s::uuid AS wallet_id, %(log_id)b::uuid AS log_id, %(details)b::text AS details,
                   %(performed_by)b::uuid AS performed_by, %(chain_id)b::text AS chain_id, %(nonce)b::text AS nonce,
                   %(digest)b::text AS digest, %(fee)b::text AS fee, %(retired_too)b::boolean AS retired_too"""
_SAME = "x.credential_id = {0}.wallet_id AND x.chain_id = {0}.chain_id AND x.nonce = {0}.nonce"
_NONCES = f"""known AS (
            SELECT x.* FROM strongroom_signed_nonce x
             WHERE EXISTS (SELECT FROM allowed p WHERE x.project_id = p.w1 AND {_SAME.format("p")})),
        taken AS (
            INSERT INTO strongroom_signed_nonce
                   (project_id, credential_id, chain_id, nonce, digest, fee, created_at, updated_at)
            SELECT w1, wallet_id, chain_id, nonce, digest, fee, %(now)b, %(now)b FROM allowed p
             WHERE nonce IS NOT NULL AND NOT EXISTS (SELECT FROM known x WHERE {_SAME.format("p")})
                ON CONFLICT DO NOTHING RETURNING credential_id, chain_id, nonce, digest),
        passed AS (
            SELECT * FROM allowed p WHERE nonce IS NULL
                OR EXISTS (SELECT FROM taken x WHERE {_SAME.format("p")} AND x.digest = p.digest)
                OR EXISTS (SELECT FROM known x WHERE {_SAME.format("p")} AND x.digest = p.digest)),"""  # noqa: S608
_BEFORE = f"LEFT JOIN known x ON x.project_id = l.w1 AND {_SAME.format('l')}"


class SigningStatements(Building):
    """Grant signatures."""

    @Statement
    def use_nonce(self) -> Executable:
        """What was signed under a nonce, unless something was before."""
        return self.insert(NONCE, NONCE_ROW, arbitrated=True)

    @Statement
    def find_nonce(self) -> Executable:
        """What was signed under a nonce."""
        return text_sql(
            "SELECT digest, fee FROM strongroom_signed_nonce WHERE project_id = :project_id AND credential_id = :id "
            "AND chain_id = :chain_id AND nonce = :nonce"
        )

    @Statement
    def replace_nonce(self) -> Executable:
        """Another payload under a nonce, if the one before is still that of a digest; of the wallet that is named."""
        return (
            update(NONCE)
            .values(
                digest=param("digest", NONCE.c.digest),
                fee=param("fee", NONCE.c.fee),
                updated_at=param("now", NONCE.c.updated_at),
            )
            .where(
                equals(NONCE.c.credential_id, "id"),
                equals(NONCE.c.chain_id, "chain_id"),
                equals(NONCE.c.nonce, "nonce"),
                equals(NONCE.c.digest, "old_digest"),
            )
        )

    @cached_property
    def levels(self) -> str:
        """Whether the access level allows it; where the schema has none, it does."""
        return f"{_LEVEL} IN ('project_admin', 'project_member')" if self.has(VAULT.c.access_level) else "true"

    def authorize(self, *, several: bool, nonces: bool) -> str:
        """Every wish, in order: its wallet, whether it may sign, whether its row was written, what was there before.

        Built for what is asked, since most signatures are asked for one by one and without a nonce: ``several`` takes
        arrays, else one wish comes in plain parameters (and no row comes back where its wallet is not there);
        without ``nonces`` no wish may have one.

        All of it sees one snapshot. A nonce that another transaction took meanwhile is neither taken nor known here:
        the wish is not granted, and asked again.
        """
        return self._authorize[several, nonces]

    @cached_property
    def _authorize(self) -> dict[tuple[bool, bool], str]:
        both = (False, True)
        return {(several, nonces): self._built(several, nonces) for several in both for nonces in both}

    def _built(self, several: bool, nonces: bool) -> str:
        columns = [column.label(f"w{number}") for number, column in enumerate(self.wallet_columns(NAMED_BY))]
        named = text_sql("project_credentials.id IN (SELECT wallet_id FROM asked)")
        wallets = self.wallets().with_only_columns(*columns).where(named if several else equals(CREDENTIAL.c.id, "id"))
        shown = ", ".join(f"l.w{number}" for number in range(WALLET_COLUMNS))
        return f"""WITH asked AS ({_SEVERAL if several else _ONE}),
        wallet AS ({wallets.compile(dialect=self.dialect)}),
        looked AS (SELECT a.*, w.*, {_STATE} AS state, {self.levels} AS level_allows
                     FROM asked a {"LEFT JOIN" if several else "JOIN"} wallet w ON w.w0 = a.wallet_id),
        allowed AS (SELECT * FROM looked WHERE w0 IS NOT NULL AND {_TEXT} IS NOT NULL AND level_allows
                       AND (state = 'live' OR (state = 'replaced' AND retired_too))),
        {_NONCES if nonces else ""}
        logged AS ({self._log_rows("passed" if nonces else "allowed")} RETURNING id)
        SELECT {shown}, l.state, l.level_allows, EXISTS (SELECT FROM logged g WHERE g.id = l.log_id),
               {"x.digest, x.fee" if nonces else "NULL, NULL"}
          FROM looked l {_BEFORE if nonces else ""} {"ORDER BY l.n" if several else ""}"""  # noqa: S608 - our own names

    def _log_rows(self, source: str) -> str:
        """An INSERT of the log rows of the wishes that pass."""
        filled = {"id": "p.log_id", "project_id": "p.w1", "credential_id": "p.wallet_id", "action_type": "'sign'"}
        if self.foreign is not None:
            del filled["project_id"]
        for column, value in (
            ("action_details", "p.details::{}"),
            ("performed_by", "p.performed_by::{}"),
            ("performed_at", "%(now)b::{}"),
        ):
            if self.has(LOG.c[column]):
                filled[column] = value.format(self._type_of_log(column))
        return (
            f"INSERT INTO credential_usage_logs ({', '.join(filled)}) "  # noqa: S608 - our own names
            f"SELECT {', '.join(filled.values())} FROM {source} p"
        )

    def _type_of_log(self, column: str) -> str:
        if self.foreign is not None:
            return self.foreign.columns[LOG.name][column].type
        return {"action_details": "jsonb", "performed_by": "uuid", "performed_at": "timestamptz"}[column]
