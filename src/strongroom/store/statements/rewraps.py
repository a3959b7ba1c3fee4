"""Texts and tags that take the place of those that another sealing key sealed, or made."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import Table, update
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Statement
from strongroom.store.statements.column_forms import param
from strongroom.store.statements.tables import TAGGED, VAULT
from strongroom.store.statements.usage_log import LogStatements
from strongroom.store.write_conditions import SCHEMA_VERSION

_KEPT = "id, project_id, credential_id, network, label, address, public_key, vault_id"
"""What the history says of a text's wallet."""
_OLD = "unnest(:ids ::uuid[], :old_texts ::text[])"
_BOTH = "unnest(:ids ::uuid[], :old_texts ::text[], :new_texts ::text[])"


class RewrapStatements(LogStatements):
    """Compare-and-set of sealed texts: one, many of any projects, or many of one."""

    @Statement
    def rewrap_text(self) -> Executable:
        """A new text in the place of exactly the old one."""
        row = {"encrypted_private_key": "sealed_text", "updated_at": "now"}
        return (
            update(VAULT)
            .values(self.filled(VAULT, row))
            .where(
                self.is_id(VAULT.c.credential_id, "id"),
                *self.of_project(VAULT),
                VAULT.c.encrypted_private_key == param("old_text", VAULT.c.encrypted_private_key),
            )
        )

    @Statement
    def rewrap_many(self) -> Executable:
        """Compare-and-set of many texts in one statement: history, log row, and the ids that were written.

        A credential of generation 2 may have several records with one text: they move together and are kept once.
        A trigger that puts another text than the proved one there divides by zero, and nothing is changed.
        """
        now = "(:now)"
        touched = self.written_as(VAULT, {"updated_at": now}, as_text=True)
        updated_at = "".join(f", {column} = {value}" for column, value in touched.items())
        project = "" if self.foreign else " AND v.project_id = i.project_id"
        (owner,) = self.written_as(VAULT, {"credential_id": "i.id"}, as_text=True).values()
        row = {"log_id": "i.log_id", "project_id": "i.project_id", "id": "i.id", "action": "'rewrap'", "now": now}
        logged = self.insert_logs(row, "moved i", as_text=True)
        # What we write into legacy tables is kept in the history, too.
        new_kept = (
            f""", kept_new AS (
                INSERT INTO strongroom_vault_history
                       ({_KEPT}, text, form, reason, created_at, schema_version)
                SELECT i.new_history_id, i.project_id, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.new_text, 'sealed', 'rewrap', :now, {SCHEMA_VERSION}
                  FROM moved i)"""  # noqa: S608 - our own names
            if self.foreign
            else ""
        )
        return text_sql(
            f"""WITH input AS (
                SELECT * FROM unnest(:ids ::uuid[], :projects ::uuid[], :old_texts ::text[], :new_texts ::text[],
                                     :networks ::text[], :labels ::text[], :addresses ::text[], :public_keys ::text[],
                                     :vault_ids ::text[], :history_ids ::uuid[], :new_history_ids ::uuid[],
                                     :log_ids ::uuid[])
                    AS i (id, project_id, old_text, new_text, network, label, address, public_key, vault_id,
                          history_id, new_history_id, log_id)),
            updated AS (
                UPDATE credential_vault_storage v SET encrypted_private_key = i.new_text{updated_at}
                  FROM input i WHERE v.credential_id = {owner}{project} AND v.encrypted_private_key = i.old_text
                RETURNING i.id AS credential_id, v.encrypted_private_key = i.new_text AS as_proved),
            moved AS (SELECT * FROM input WHERE id IN (SELECT credential_id FROM updated)),
            kept AS (
                INSERT INTO strongroom_vault_history
                       ({_KEPT}, text, form, reason, created_at, schema_version)
                SELECT i.history_id, i.project_id, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.old_text, 'sealed', 'rewrap', :now, {SCHEMA_VERSION}
                  FROM moved i RETURNING 1){new_kept},
            logged AS (
                {logged} RETURNING 1)
            SELECT id, 1 / (CASE WHEN EXISTS (SELECT 1 FROM updated WHERE as_proved IS NOT TRUE)
                                   OR (SELECT count(*) FROM logged) <> (SELECT count(*) FROM moved)
                                   OR (SELECT count(*) FROM kept) <> (SELECT count(*) FROM moved) THEN 0 ELSE 1 END)
              FROM moved"""  # noqa: S608 - our own names
        )

    @Statement
    def lock_in_project(self) -> Executable:
        """Which of many vault records of one project hold the texts that were read; locked until the transaction ends.

        This and the three that follow are of one part of divided tables, on Citus of one node: there ``rewrap_many``
        would ask each, and commit in two phases.
        """
        return text_sql(
            f"""SELECT v.credential_id FROM credential_vault_storage v, {_OLD} AS i (id, old_text)
                 WHERE {self._as_read} FOR UPDATE OF v"""  # noqa: S608 - our own names
        )

    @Statement
    def rewrap_in_project(self) -> Executable:
        """New texts in the place of exactly the old ones: for each whether it is there as it was proved."""
        touched = self.written_as(VAULT, {"updated_at": "(:now)"}, as_text=True)
        updated_at = "".join(f", {column} = {value}" for column, value in touched.items())
        return text_sql(
            f"""UPDATE credential_vault_storage v SET encrypted_private_key = i.new_text{updated_at}
                  FROM {_BOTH} AS i (id, old_text, new_text) WHERE {self._as_read}
             RETURNING v.encrypted_private_key = i.new_text"""  # noqa: S608 - our own names
        )

    @property
    def _as_read(self) -> str:
        """That a vault record of the project holds what was read."""
        return f"{self._is_its_own} AND v.encrypted_private_key = i.old_text"

    @property
    def _is_its_own(self) -> str:
        """That a vault record is of a wallet of the project; of legacy tables, which are never divided, of any."""
        (owner,) = self.written_as(VAULT, {"credential_id": "i.id"}, as_text=True).values()
        return f"{'' if self.foreign else 'v.project_id = :project_id AND '}v.credential_id = {owner}"

    @property
    def _project(self) -> str:
        return "(:project_id)::uuid" if self.foreign else "v.project_id"

    @Statement
    def keep_in_project(self) -> Executable:
        """The old ones, into the history.

        Selected from the vault records, so that Citus inserts them on their node: what has no table in it, it would
        COPY there, which roles that own nothing may not.
        """
        return text_sql(
            f"""INSERT INTO strongroom_vault_history ({_KEPT}, text, form, reason, created_at, schema_version)
                SELECT i.history_id, {self._project}, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.old_text, 'sealed', 'rewrap', (:now)::timestamptz, {SCHEMA_VERSION}
                  FROM credential_vault_storage v,
                       unnest(:ids ::uuid[], :old_texts ::text[], :networks ::text[], :labels ::text[],
                              :addresses ::text[], :public_keys ::text[], :vault_ids ::text[], :history_ids ::uuid[])
                    AS i (id, old_text, network, label, address, public_key, vault_id, history_id)
                 WHERE {self._as_read}"""  # noqa: S608 - our own names
        )

    @Statement
    def log_in_project(self) -> Executable:
        """A row of the usage log for each of them."""
        row = {"log_id": "i.log_id", "project_id": self._project, "id": "i.id"}
        row |= {"action": "'rewrap'", "now": "(:now)::timestamptz"}
        source = "credential_vault_storage v, unnest(:ids ::uuid[], :log_ids ::uuid[]) AS i (id, log_id)"
        return text_sql(self.insert_logs(row, f"{source} WHERE {self._is_its_own}", as_text=True))

    @cached_property
    def retag_in_project(self) -> dict[str, str]:
        """By table: other tags of many rows of one project, each if it still has the one that was read (PostgreSQL).

        The answer is which of them were written, counted from 1.
        """
        return {name: self.compiled(text_sql(_retag(table))) for name, table in TAGGED.items()}


def _retag(table: Table) -> str:
    keys = [column.name for column in table.primary_key if column.name != "project_id"]
    kinds = {key: "uuid" if key in ("credential_id", "phrase_id") else "text" for key in keys}
    arrays = ", ".join(f":every_{key} ::{kind}[]" for key, kind in kinds.items())
    same = " AND ".join(f"t.{key} = i.{key}" for key in keys)
    return f"""UPDATE {table.name} t SET kid = i.new_kid, tag = i.new_tag
                 FROM unnest({arrays}, :old_tags ::text[], :new_kids ::text[], :new_tags ::text[]) WITH ORDINALITY
                   AS i ({", ".join(keys)}, old_tag, new_kid, new_tag, place)
                WHERE t.project_id = :project_id AND {same}
                  AND (t.tag = i.old_tag OR (t.tag IS NULL AND i.old_tag IS NULL))
            RETURNING i.place"""  # noqa: S608 - our own names
