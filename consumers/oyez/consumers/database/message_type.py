"""The type of the columns that hold error messages: whatever went wrong, its description can be stored."""

from __future__ import annotations

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

MOST = 8000
"""Characters of a message that are kept."""


class Message(TypeDecorator[str]):
    """Text without what no database takes: NUL characters and lone surrogates are written as escapes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value[:MOST].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()[:MOST]
