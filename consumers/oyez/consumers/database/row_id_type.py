"""The type of primary keys that are numbered automatically; each database has its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from .dialects.errors import DatabaseError
from .dialects.lookup import dialect_named


class RowId(TypeDecorator[int]):
    """A whole number, as the database numbers rows."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        try:
            kind = dialect_named(dialect.name).row_id
        except DatabaseError:
            kind = BigInteger()  # SQLAlchemy's own default dialect, which only prints statements
        return dialect.type_descriptor(kind)
