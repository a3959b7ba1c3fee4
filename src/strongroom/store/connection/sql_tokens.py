"""The tokens of SQL, as far as ``qualified`` needs them: PostgreSQL's, with psycopg's parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<text>'(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<value>%\(\w+\)[sbt] | \d+(?:\.\d+)?)
      | (?P<name>"(?:[^"]|"")*" | [^\W\d][\w$]*)
      | (?P<cast>::) | (?P<mark>:=|=>|[()\[\],;.:])
      | (?P<operator>%%|%(?!\()|[-+*/<>=~!@\#^&|?]+)""",
    re.VERBOSE | re.DOTALL,
)
WORDS = frozenset(
    re.findall(
        r"\w+",
        "ALL AND ANY ARRAY AS ASC BETWEEN BY CASE CAST COALESCE COLLATE CONFLICT CROSS CURSOR DECLARE DEFAULT DELETE "
        "DESC DISTINCT DO ELSE END EXCEPT EXISTS FALSE FETCH FILTER FOR FROM FULL GREATEST GROUP HAVING ILIKE IN "
        "INNER INSERT INTERSECT INTO IS JOIN LATERAL LEAST LEFT LIKE LIMIT MATERIALIZED NOT NULL NULLIF NULLS OF "
        "OFFSET ON ONLY OR ORDER ORDINALITY OUTER OVER PARTITION RECURSIVE RETURNING RIGHT ROW SELECT SET SOME THEN "
        "TO TRUE UNION UPDATE USING VALUES WHEN WHERE WINDOW WITH WITHIN",
    )
)
WORDS_OF_DEFINITIONS = frozenset(
    re.findall(
        r"\w+",
        "ADD ALTER CASCADE CHECK COLUMN COMMENT CONSTRAINT CREATE DROP ENABLE FOREIGN GRANT IF INDEX KEY LOCK PERFORM "
        "POLICY PRIMARY REFERENCES RESTRICT RETURNS REVOKE TABLE TRIGGER TYPE UNIQUE",
    )
)
"""Words that are columns' names elsewhere."""
_ENDS_OPERAND = frozenset({"NULL", "TRUE", "FALSE", "END", "DEFAULT"})
INSIDE_OPERAND = frozenset({*_ENDS_OPERAND, "ANY", "ALL", "SOME", "ARRAY", "COLLATE", "COALESCE", "EXISTS", "CAST"})
"""Words after which the operators before them still count."""
_BETWEEN_QUERIES = frozenset({"", "AS", "MATERIALIZED", "NOT", "RECURSIVE"})
"""Words between the queries of a WITH, outside of brackets; other names are the queries' own."""
ALSO_FUNCTIONS = frozenset({"LEFT", "RIGHT"})
BUILT_IN_TYPES = frozenset(
    re.findall(
        r"\w+",
        "BIGINT BIT BOOLEAN CHAR CHARACTER DEC DECIMAL DOUBLE FLOAT INT INTEGER INTERVAL NATIONAL NCHAR NUMERIC REAL "
        "SMALLINT TIME TIMESTAMP VARCHAR",
    )
)
"""Types whose names are a part of the grammar: no schema is looked into."""


class NotQualifiableError(ValueError):
    """A statement that would depend on search_path. The message names the construct."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL: its kind, its text, and its keyword."""

    kind: str
    text: str

    word: str = ""
    """A keyword in capitals; empty for anything else."""

    @property
    def is_name(self) -> bool:
        """Whether it is no keyword."""
        return self.kind == "name" and not self.word

    @property
    def ends_operand(self) -> bool:
        """Whether an operator may follow."""
        return self.kind in ("text", "value") or self.is_name or self.text in (")", "]") or self.word in _ENDS_OPERAND


EDGE = Token("edge", "")
BRACKET = Token("mark", ")")
OPERATOR_WRITTEN = Token("operator", "OPERATOR")


def tokens_of(sql: str, words: frozenset[str]) -> list[Token]:
    """The tokens of a text, spaces too. Raises NotQualifiableError."""
    tokens: list[Token] = []
    place = 0
    while place < len(sql):
        found = _TOKEN.match(sql, place)
        if found is None or found.lastgroup is None:
            raise NotQualifiableError(f"what begins at character {place} is not understood")
        kind = "text" if found["text"] is not None else found.lastgroup
        folded = found[0].upper() if kind == "name" and not (tokens and tokens[-1].text == ".") else ""
        tokens.append(Token(kind, found[0], folded if folded in words else ""))
        place = found.end()
    return tokens


class TokenReader:
    """Looks around in a list of tokens; spaces are skipped."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens

    def _index(self, place: int) -> int:
        """Where the next token is that is no space."""
        place += 1
        while place < len(self._tokens) and self._tokens[place].kind == "space":
            place += 1
        return place

    def _inside(self, place: int) -> list[Token]:
        """What is between the brackets that begin after a token."""
        begin = self._index(place)
        return self._tokens[begin + 1 : self._closing(begin)]

    def _peek(self, place: int) -> Token:
        place = self._index(place)
        return self._tokens[place] if place < len(self._tokens) else EDGE

    def _begins_operand(self, place: int) -> bool:
        after = self._peek(place)
        return (after.kind in ("text", "value", "name") and after.word in ("", "CASE", "NULL")) or after.text == "("

    def _names_a_query(self, place: int) -> bool:
        """Whether a name is one that WITH gives: after WITH and other such names, before AS and a query in brackets."""
        after = self._index(place)
        if after < len(self._tokens) and self._tokens[after].text == "(":  # a list of columns
            after = self._index(self._closing(after))
        if after >= len(self._tokens) or self._tokens[after].word != "AS":
            return False
        depth = 0
        for token in reversed(self._tokens[:place]):
            depth += {")": 1, "(": -1}.get(token.text, 0)
            if depth or token.kind == "space" or token.text in ("(", ","):
                continue
            if token.word == "WITH":
                return True
            if token.kind != "name" or token.word not in _BETWEEN_QUERIES:
                return False
        return False

    def _closing(self, begin: int) -> int:
        depth = 0
        for place in range(begin, len(self._tokens)):
            depth += {"(": 1, ")": -1}.get(self._tokens[place].text, 0)
            if not depth:
                return place
        raise NotQualifiableError("a bracket is not closed")


def depth_of(tokens: list[Token]) -> int:
    """How many brackets are open at the end."""
    return sum({"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) for token in tokens)


def comma_in(tokens: list[Token]) -> int | None:
    """Where the first comma is that is between no brackets."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text == "," and not depth:
            return place
    return None
