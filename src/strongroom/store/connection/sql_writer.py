"""Writes a statement's tokens with a schema for each name and operator; ``qualified`` says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from strongroom.store.connection.sql_tokens import (
    ALSO_FUNCTIONS,
    BRACKET,
    BUILT_IN_TYPES,
    EDGE,
    INSIDE_OPERAND,
    OPERATOR_WRITTEN,
    NotQualifiableError,
    Token,
    TokenReader,
    comma_in,
    depth_of,
)

_OPERATOR = "OPERATOR(pg_catalog.{})"
_SAME = _OPERATOR.format("=")
_LIKE = {"LIKE": "~~", "ILIKE": "~~*"}


class StatementWriter(TokenReader):
    """Writes one statement, or a part of one that is between brackets."""

    def __init__(
        self, tokens: list[Token], schemas: Mapping[str, str], others: Mapping[str, str], *, defines: bool
    ) -> None:
        super().__init__(tokens)
        self._schemas = schemas
        self._others = others
        self._defines = defines
        self._before = [EDGE] * 5
        """What was written last, without spaces."""
        self._ranks: list[int | None] = [None]
        self._setting: list[bool] = [False]
        self._cases: list[bool] = [False]
        """For each open bracket: the last operator's rank, whether columns are being set, whether it is a CASE."""

    def write(self) -> Iterator[str]:
        """The pieces of the statement, in their order."""
        place = 0
        while place < len(self._tokens):
            token = self._tokens[place]
            if token.kind == "space":
                yield token.text
                place += 1
                continue
            text, after = self._next(token, place)
            # What was written out as a whole ends as its last token does: an operator, or a bracket.
            last = token if after == place + 1 else OPERATOR_WRITTEN if token.text.upper() == "OPERATOR" else BRACKET
            self._before = [*self._before[1:], last]
            place = after
            yield text

    def _next(self, token: Token, place: int) -> tuple[str, int]:
        """What is written for a token, and where to go on."""
        if token.kind == "operator":
            return self._operator(token, place), place + 1
        if token.word:
            return self._word(token, place)
        if token.text.upper() == "OPERATOR" and self._peek(place).text == "(":
            end = self._closing(self._index(place))
            self._rank(4)
            return "".join(each.text for each in self._tokens[place : end + 1]), end + 1
        if token.kind == "name":
            return self._name(token, place), place + 1
        if token.kind == "text":
            return self._text(token, place), place + 1
        if token.text == "(" and self._defines and self._before[-1].word in ("WITH", "SET"):
            end = self._closing(place)  # storage parameters: their signs are no operators
            return "".join(each.text for each in self._tokens[place : end + 1]), end + 1
        if token.text == "(":
            same = self._distinct(place)
            if same is not None:
                return same, self._closing(place) + 1
        if token.text in ("(", "["):
            self._open()
        elif token.text in (")", "]"):
            self._close()
        elif token.text in (",", ";"):
            self._ranks[-1] = None
        return token.text, place + 1

    # --- operators ------------------------------------------------------------------------------------------

    def _operator(self, token: Token, place: int) -> str:
        last, before, name = token.text, self._before[-1], self._before[-2]
        if last == "*" and (before.text == "." or not before.ends_operand or not self._begins_operand(place)):
            return last  # every column
        if last == "=" and self._setting[-1] and before.kind == "name" and (name.word == "SET" or name.text == ","):
            self._ranks[-1] = None
            return last  # an assignment
        if not before.ends_operand:
            if last in ("-", "+") and self._peek(place).kind == "value":
                return last  # a number's sign
            raise NotQualifiableError(f"the operator {last} has no left operand")
        self._rank(6 if last in ("*", "/", "%", "%%") else 5 if last in ("+", "-") else _rank_of_other(last))
        last = "<>" if last == "!=" else last
        return f"OPERATOR({self._home(last)}.{last})"

    def _rank(self, rank: int) -> None:
        """Raise where an operator that binds closer follows one that binds less: qualified, both would bind alike."""
        before = self._ranks[-1]
        if before is not None and rank > before:
            raise NotQualifiableError("operators of different precedence need brackets")
        self._ranks[-1] = rank

    def _word(self, token: Token, place: int) -> tuple[str, int]:
        word, after = token.word, self._peek(place)
        if word in ("IN", "LIKE", "ILIKE") and (word != "IN" or after.text == "("):
            return self._hidden(word, negated=False, place=place)
        if word == "NOT" and after.word in ("IN", "LIKE", "ILIKE"):
            return self._hidden(after.word, negated=True, place=self._index(place))
        if word == "NULLIF":
            return self._nullif(place)
        if word == "CASE":
            if after.word != "WHEN":
                raise NotQualifiableError("CASE with an operand compares without saying how")
            self._open(case=True)
        elif word == "END" and self._cases[-1]:
            self._close()
        elif word == "CAST":
            self._require_built_in(place)
        elif word == "DISTINCT" and (self._before[-1].word == "IS" or self._before[-2].word == "IS"):
            raise NotQualifiableError("IS DISTINCT FROM needs brackets around itself and nothing else")
        elif word == "BETWEEN" or (word == "USING" and after.text == "(" and not self._defines):
            raise NotQualifiableError(f"{word} compares without saying how")
        elif word in ALSO_FUNCTIONS and after.text == "(":
            return f"pg_catalog.{token.text}", place + 1
        self._scope(word, after)
        return token.text, place + 1

    def _require_built_in(self, place: int) -> None:
        inside = [each for each in self._inside(place) if each.kind != "space"]
        named = [right for left, right in pairwise(inside) if left.word == "AS"]
        if not named or named[-1].text.upper() not in BUILT_IN_TYPES:
            raise NotQualifiableError("CAST names a type without a schema: write ::")

    def _scope(self, word: str, after: Token) -> None:
        """What a word ends: the operators before it, the list of columns that are set."""
        if word == "SET" and after.kind == "name":
            self._setting[-1] = True
        elif word in ("WHERE", "FROM", "RETURNING"):
            self._setting[-1] = False
        if word not in INSIDE_OPERAND:
            self._ranks[-1] = None

    def _hidden(self, word: str, *, negated: bool, place: int) -> tuple[str, int]:
        if not self._before[-1].ends_operand:
            raise NotQualifiableError(f"{word} has no left operand")
        self._rank(_RANK_OF_COMPARISON)
        if word != "IN":
            return _OPERATOR.format(("!" if negated else "") + _LIKE[word]), place + 1
        written = f"{_OPERATOR.format('<>')} ALL" if negated else f"{_SAME} ANY"
        end = self._closing(self._index(place))
        inside = self._inside(place)
        listed = self._part(inside)
        first = next((each for each in inside if each.kind != "space"), EDGE)
        if first.word in ("SELECT", "WITH", "VALUES"):
            return f"{written} ({listed})", end + 1
        # As text: the elements' type would not be looked for among the operators of another type, such as an enum.
        as_text = (
            "::pg_catalog.text " if all(each.kind in ("space", "text") or each.text == "," for each in inside) else ""
        )
        return f"{as_text}{written} (ARRAY[{listed}])", end + 1

    def _distinct(self, place: int) -> str | None:
        """``(a IS DISTINCT FROM b)``, with its operator; None for brackets with something else in them."""
        inside = self._tokens[place + 1 : self._closing(place)]
        words = [(at, each.word) for at, each in enumerate(inside) if each.kind != "space"]
        is_at = [at for at, word in words if word == "IS" and not depth_of(inside[:at])]
        after = [(at, word) for at, word in words if is_at and at > is_at[0]][:3]
        negated = bool(after) and after[0][1] == "NOT"
        begins = after[1:] if negated else after[:2]
        if [word for _, word in begins] != ["DISTINCT", "FROM"]:
            return None
        left, right = inside[: is_at[0]], inside[begins[-1][0] + 1 :]
        if any(each.word in ("AND", "OR", "NOT", "IS") for each in (*left, *right)):
            raise NotQualifiableError("IS DISTINCT FROM needs brackets around itself and nothing else")
        one, other = self._part(left).strip(), self._part(right).strip()
        same = f"COALESCE(({one}) {_SAME} ({other}), ({one}) IS NULL AND ({other}) IS NULL)"
        return f"({same})" if negated else f"(NOT {same})"

    def _nullif(self, place: int) -> tuple[str, int]:
        end = self._closing(self._index(place))
        inside = self._inside(place)
        comma = comma_in(inside)
        if comma is None:
            raise NotQualifiableError("NULLIF needs two operands")
        left, right = self._part(inside[:comma]).strip(), self._part(inside[comma + 1 :]).strip()
        return f"(CASE WHEN ({left}) {_SAME} ({right}) THEN NULL ELSE {left} END)", end + 1

    # --- names ----------------------------------------------------------------------------------------------

    def _name(self, token: Token, place: int) -> str:
        name, after, before = token.text, self._peek(place), self._before[-1]
        if before.text == "." or after.text == ".":
            return name
        if after.kind == "text" and not self._defines:
            raise NotQualifiableError("a text after a type's name: write ::")
        if self._names_a_query(place):
            if name in self._schemas or name.startswith("pg_"):
                raise NotQualifiableError("a query of WITH has a table's name")
            return name
        if before.kind == "cast" or before.word in ("COLLATE", "TYPE", "RETURNS") or self._names_a_type():
            return name if name.upper() in BUILT_IN_TYPES else f"{self._home(name)}.{name}"
        if name in self._schemas and before.word not in ("AS", "OF", "TO"):
            return f"{identifier(self._schemas[name])}.{name}"
        if name.startswith("pg_") and name not in ("pg_catalog", "pg_temp") and before.word not in ("AS", "TO"):
            return f"pg_catalog.{name}"
        if name == "unnest" and after.text == "(" and comma_in(self._inside(place)) is not None:
            return name  # of several arrays: no function, PostgreSQL itself makes calls of pg_catalog's of it
        if after.text == "(" and self._calls():
            return f"{self._home(name)}.{name}"
        return name

    def _home(self, name: str) -> str:
        """The schema of an operator, a function or a type."""
        schema = self._others.get(name.strip('"').lower() if name.startswith('"') else name)
        return "pg_catalog" if schema is None else identifier(schema)

    def _text(self, token: Token, place: int) -> str:
        """A text, with the schema of the table that it names as a regclass."""
        table, after = token.text[1:-1], self._index(place)
        if table in self._schemas and self._peek(place).kind == "cast" and self._peek(after).text == "regclass":
            name = f"{identifier(self._schemas[table])}.{table}".replace("'", "''")
            return f"'{name}'"
        return token.text

    def _calls(self) -> bool:
        """Whether a name before a bracket is a function, and no table, alias or list of columns."""
        before = self._before[-1]
        if before.word in ("AS", "INTO", "REFERENCES", "INDEX", "TABLE", "EXISTS", "ONLY", "UPDATE", "KEY"):
            return False
        if self._defines and before.word in ("ON", "ADD", "CONSTRAINT"):
            return False
        return not (before.is_name or before.text == ")" or self._names_a_type())

    def _names_a_type(self) -> bool:
        """In the definition of a table: whether a column's name comes before."""
        name, before = self._before[-1], self._before[-2]
        if not self._defines or name.kind != "name" or name.word or before.word in ("CONSTRAINT", "KEY", "ON"):
            return False
        if before.word == "EXISTS":  # of a column, not of a table
            before = self._before[-5] if self._before[-3].word == "NOT" else EDGE
        return before.text in ("(", ",") or before.word in ("COLUMN", "ADD")

    # --- where we are ---------------------------------------------------------------------------------------

    def _part(self, tokens: list[Token]) -> str:
        return "".join(StatementWriter(tokens, self._schemas, self._others, defines=self._defines).write())

    def _open(self, *, case: bool = False) -> None:
        self._ranks.append(None)
        self._setting.append(False)
        self._cases.append(case)

    def _close(self) -> None:
        if len(self._ranks) == 1:
            raise NotQualifiableError("a bracket closes that was not opened")
        self._ranks.pop()
        self._setting.pop()
        self._cases.pop()


_RANK_OF_COMPARISON = 2


def _rank_of_other(operator: str) -> int:
    return _RANK_OF_COMPARISON if operator in ("=", "<", ">", "<=", ">=", "<>", "!=") else 4


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
