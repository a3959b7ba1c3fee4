"""Sealed texts of phrases: rewrapped, kept in the history, looked for; and the records of what was derived of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, exists, func, literal_column, not_, select, update
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.records.phrases import HISTORY_NETWORK
from strongroom.store.statements.building import LONGEST_TEXT, LONGEST_VALUE, Statement, StatementBuilder, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import HEAD, HISTORY, PHRASE, PHRASE_ROW, REGISTER
from strongroom.store.statements.text_forms import beginning, place_of, substring


class PhraseTextStatements(StatementBuilder):
    """What a rewrap, doctor and a repair ask of phrases."""

    @Statement
    def rewrap_phrase(self) -> Executable:
        """A new sealed text in the place of exactly the old one."""
        old = PHRASE.c.sealed_text == param("old_text", PHRASE.c.sealed_text)
        return update(PHRASE).values(values_of(PHRASE, PHRASE_ROW, ("sealed_text",))).where(*is_phrase(), old)

    @Statement
    def phrases_sealed_otherwise(self) -> Executable:
        """A page of phrases whose text another sealing key sealed, after a project and an id."""
        after = text_sql("(strongroom_phrase.project_id, strongroom_phrase.phrase_id) > (:after_project, :after)")
        found = select(*columns_of(PHRASE, PHRASE_ROW)).where(after, not_(self._sealed_by()))
        return limited(found.order_by(PHRASE.c.project_id, PHRASE.c.phrase_id), param("limit", HEAD.c.version))

    @Statement
    def phrases_sealed_otherwise_in_project(self) -> Executable:
        """The same of one project."""
        key = PHRASE.c.phrase_id
        found = phrases_of_project().where(key > param("after", key), not_(self._sealed_by())).order_by(key)
        return limited(found, param("limit", HEAD.c.version))

    @Statement
    def count_phrases_sealed(self) -> Executable:
        """How many phrases a sealing key sealed."""
        return select(func.count()).select_from(PHRASE).where(self._sealed_by())

    @staticmethod
    def _sealed_by() -> Any:
        text = PHRASE.c.sealed_text
        return beginning(text) == param("beginning", text)

    @Statement
    def kept_phrase_texts(self) -> Executable:
        """A page of the texts that the history keeps of a phrase, whatever it calls them, before an entry's id."""
        of_phrase = equals(HISTORY.c.project_id, "project_id"), equals(HISTORY.c.credential_id, "phrase_id")
        found = select(HISTORY.c.id, substring(HISTORY.c.text, LONGEST_TEXT))
        found = found.where(*of_phrase, HISTORY.c.id < param("before", HISTORY.c.id)).order_by(HISTORY.c.id.desc())
        return limited(found, param("limit", HEAD.c.version))

    @Statement
    def kept_texts_holding(self) -> Executable:
        """A page of the history's entries that hold a text which begins as a parameter says, each from there on."""
        key, text = HISTORY.c.id, substring(HISTORY.c.text, LONGEST_TEXT)
        named = param("beginning", HISTORY.c.text)
        from_there = place_of(text, named, postgresql=self.writes_in_one)
        found = select(key, HISTORY.c.project_id, HISTORY.c.credential_id, func.substr(text, from_there))
        found = found.where(key > param("after", key), from_there > literal_column("0")).order_by(key)
        return limited(found, param("limit", HEAD.c.version))

    @Statement
    def records_of_phrase(self) -> Executable:
        """A page of the register's records of wallets that were derived from a phrase, after a wallet's id."""
        key = REGISTER.c.credential_id
        found = select(*self.record_columns(whole=True)).where(
            equals(REGISTER.c.project_id, "project_id"),
            equals(REGISTER.c.phrase_id, "phrase_id"),
            key > param("after", key),
        )
        return limited(found.order_by(key), param("limit", HEAD.c.version))

    @Statement
    def lost_phrases(self) -> Executable:
        """A page of phrases that wallets of the register were derived from, and that have no row; after such a one."""
        after = text_sql("(strongroom_wallet.project_id, strongroom_wallet.phrase_id) > (:after_project, :after)")
        return self._lost(after)

    @Statement
    def lost_phrases_in_project(self) -> Executable:
        """The same of one project."""
        key = REGISTER.c.phrase_id
        return self._lost(equals(REGISTER.c.project_id, "project_id"), key > param("after", key))

    def _lost(self, *conditions: Any) -> Executable:
        key = REGISTER.c.project_id, REGISTER.c.phrase_id
        there = exists().where(PHRASE.c.project_id == key[0], PHRASE.c.phrase_id == key[1])
        found = select(*key).distinct().where(REGISTER.c.phrase_id.is_not(None), *conditions, not_(there))
        return limited(found.order_by(*key), param("limit", HEAD.c.version))

    @Statement
    def kept_phrases(self) -> Executable:
        """A page of the history's entries of phrases that have no row, after an entry: its id, project and phrase."""
        key, project, phrase = HISTORY.c.id, HISTORY.c.project_id, HISTORY.c.credential_id
        there = exists().where(PHRASE.c.project_id == project, PHRASE.c.phrase_id == phrase)
        of_phrase = HISTORY.c.network == literal_column(f"'{HISTORY_NETWORK}'")
        found = select(key, project, phrase).where(of_phrase, key > param("after", key), not_(there))
        return limited(found.order_by(key), param("limit", HEAD.c.version))


def phrases_of_project() -> Select[Any]:
    """The phrases of a project, to which a condition is added."""
    return select(*columns_of(PHRASE, PHRASE_ROW)).where(equals(PHRASE.c.project_id, "project_id"))


def columns_of(table: Any, names: Iterable[str]) -> list[Any]:
    """Texts as far as they can be of use: a writer may have made them as long as they liked."""
    longest = {"sealed_text": LONGEST_TEXT}
    return [
        substring(table.c[name], longest.get(name, LONGEST_VALUE)).label(name)
        if str(table.c[name].type) == "TEXT"
        else table.c[name]
        for name in names
    ]


def values_of(table: Any, row: dict[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of some columns of a table."""
    return {name: param(row[name], table.c[name]) for name in names}


def is_phrase() -> tuple[Any, ...]:
    """That a phrase is the one of a project that a parameter names."""
    return equals(PHRASE.c.project_id, "project_id"), equals(PHRASE.c.phrase_id, "phrase_id")
