"""The keyring, and the texts that each of its keys sealed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    delete,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Building, Statement, beginning, beginnings, equals, limited, param
from strongroom.store.statements.tables import (
    CREDENTIAL,
    EVENT_ROW,
    EVENTS,
    HEAD,
    HEAD_ROW,
    KEYRING,
    KEYRING_ROW,
    VAULT,
    WRAP,
    WRAP_ROW,
)


class KeyringStatements(Building):
    """The keyring, and the texts that each of its keys sealed."""

    @Statement
    def read_keyring(self) -> Executable:
        """Every sealing key with its wraps, in the order of their making."""
        return (
            select(KEYRING.c.kid, KEYRING.c.state, WRAP.c.root_key, WRAP.c.wrapped, WRAP.c.check_value)
            .select_from(KEYRING.outerjoin(WRAP, WRAP.c.kid == KEYRING.c.kid))
            .order_by(KEYRING.c.created_at, KEYRING.c.kid, WRAP.c.created_at)
        )

    @Statement
    def find_sealing_key(self) -> Executable:
        """A sealing key of the keyring, if it is there."""
        return select(KEYRING.c.state).where(equals(KEYRING.c.kid, "kid"))

    @Statement
    def read_keyring_head(self) -> Executable:
        """The row that says that there is a keyring."""
        return select(HEAD.c.version)

    @Statement
    def take_keyring_head(self) -> Executable:
        """The row that says that there is a keyring, unless it is taken."""
        return self.insert(HEAD, HEAD_ROW, arbitrated=True)

    @Statement
    def change_keyring_head(self) -> Executable:
        """Count a change of the keyring, if it is the one that was read."""
        return (
            update(HEAD).values(version=HEAD.c.version + literal_column("1")).where(equals(HEAD.c.version, "version"))
        )

    @Statement
    def insert_sealing_key(self) -> Executable:
        """A sealing key's name."""
        return self.insert(KEYRING, KEYRING_ROW)

    @Statement
    def end_active_sealing_key(self) -> Executable:
        """Let the active sealing key only open."""
        active = KEYRING.c.state == literal_column("'active'")
        return update(KEYRING).values(state=literal_column("'opening'")).where(active)

    @Statement
    def retire_sealing_key(self) -> Executable:
        """Mark a sealing key that only opens, and that no vault record names, as retired."""
        named = exists(select(literal_column("1")).select_from(VAULT).where(self._sealed_by()))
        return (
            update(KEYRING)
            .values(state=literal_column("'retired'"))
            .where(equals(KEYRING.c.kid, "kid"), KEYRING.c.state == literal_column("'opening'"), ~named)
        )

    @Statement
    def insert_wrap(self) -> Executable:
        """A sealing key as a root key wrapped it."""
        return self.insert(WRAP, WRAP_ROW)

    @Statement
    def delete_wraps(self) -> Executable:
        """The wraps of one root key."""
        return delete(WRAP).where(equals(WRAP.c.root_key, "root_key"))

    @Statement
    def insert_event(self) -> Executable:
        """What has no credential."""
        return self.insert(EVENTS, EVENT_ROW)

    @Statement
    def any_sealed(self) -> Executable:
        """Whether any vault record holds a sealed text."""
        sealed = VAULT.c.encrypted_private_key.like(param("sealed_pattern", VAULT.c.encrypted_private_key))
        return select(exists(select(literal_column("1")).select_from(VAULT).where(sealed)))

    @Statement
    def first_sealed(self) -> Executable:
        """What the oldest vault records begin with: forty characters name the sealing key."""
        return limited(beginnings().order_by(VAULT.c.credential_id), literal_column("16"))

    @Statement
    def last_sealed(self) -> Executable:
        """What the newest vault records begin with."""
        return limited(beginnings().order_by(VAULT.c.credential_id.desc()), literal_column("16"))

    @Statement
    def count_sealed(self) -> Executable:
        """How many vault records begin with a sealing key's forty characters."""
        return select(func.count()).select_from(VAULT).where(self._sealed_by())

    @staticmethod
    def _sealed_by() -> Any:
        text = VAULT.c.encrypted_private_key
        return beginning(text) == param("beginning", text)

    @Statement
    def sealed_otherwise(self) -> Executable:
        """Wallets after an id whose text another sealing key sealed."""
        return self.paged().where(*self._otherwise())

    @Statement
    def sealed_otherwise_in_project(self) -> Executable:
        """A project's wallets after an id whose text another sealing key sealed."""
        return self.paged().where(*self._otherwise(), equals(CREDENTIAL.c.project_id, "project_id"))

    def _otherwise(self) -> tuple[Any, ...]:
        text = self.vault.c.encrypted_private_key
        return (
            text.like(param("sealed_pattern", VAULT.c.encrypted_private_key)),
            beginning(text) != param("beginning", VAULT.c.encrypted_private_key),
        )

    @Statement
    def rewrap_text(self) -> Executable:
        """A new text in the place of exactly the old one."""
        row = {"encrypted_private_key": "sealed_text", "updated_at": "now"}
        return (
            update(VAULT)
            .values(self.filled(VAULT, row))
            .where(
                equals(VAULT.c.credential_id, "id"),
                VAULT.c.encrypted_private_key == param("old_text", VAULT.c.encrypted_private_key),
            )
        )

    @Statement
    def rewrap_many(self) -> Executable:
        """Compare-and-set of many texts in one statement: history, log row, and the ids that were written.

        A credential of generation 2 may have several records with one text: they move together and are kept once.
        A trigger that puts another text than the proved one there divides by zero, and nothing is changed.
        """
        history_columns = "id, project_id, credential_id, network, label, address, public_key, vault_id"
        log_project = "" if self.foreign else "project_id, "
        log_value = "" if self.foreign else "i.project_id, "
        updated_at = ", updated_at = :now" if self.has(VAULT.c.updated_at) else ""
        # What we write into tables of other code is kept in the history, too.
        new_kept = (
            f""", kept_new AS (
                INSERT INTO strongroom_vault_history ({history_columns}, text, form, reason, created_at)
                SELECT i.new_history_id, i.project_id, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.new_text, 'sealed', 'rewrap', :now
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
                  FROM input i WHERE v.credential_id = i.id AND v.encrypted_private_key = i.old_text
                RETURNING v.credential_id, v.encrypted_private_key IS NOT DISTINCT FROM i.new_text AS as_proved),
            moved AS (SELECT * FROM input WHERE id IN (SELECT credential_id FROM updated)),
            kept AS (
                INSERT INTO strongroom_vault_history ({history_columns}, text, form, reason, created_at)
                SELECT i.history_id, i.project_id, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.old_text, 'sealed', 'rewrap', :now
                  FROM moved i){new_kept},
            logged AS (
                INSERT INTO credential_usage_logs (id, {log_project}credential_id, action_type, performed_at)
                SELECT i.log_id, {log_value}i.id, 'rewrap', :now FROM moved i)
            SELECT id, 1 / (CASE WHEN EXISTS (SELECT 1 FROM updated WHERE NOT as_proved) THEN 0 ELSE 1 END)
              FROM moved"""  # noqa: S608 - our own names
        )
