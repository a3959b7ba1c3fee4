"""Types of columns, as each engine has them."""

from __future__ import annotations

from sqlalchemy import DateTime, Text, Uuid
from sqlalchemy.types import UserDefinedType


class Jsonb(UserDefinedType[str]):
    """PostgreSQL's jsonb, written as text; SQLAlchemy's own type would import its PostgreSQL dialect everywhere."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in DDL and casts."""
        return "JSONB"


UUID = Uuid().with_variant(Text(), "sqlite")
TIME = DateTime(timezone=True).with_variant(Text(), "sqlite")
JSON = Jsonb().with_variant(Text(), "sqlite")
