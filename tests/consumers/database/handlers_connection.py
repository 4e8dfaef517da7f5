"""A connection as handlers have it, and a look at what its driver is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event

from oyez.consumers.database.connection import HandlerConnection
from oyez.consumers.database.engine import Database


class _Enough(Exception):
    """The end of what is looked at."""


@contextmanager
def handling(engine: Engine) -> Iterator[HandlerConnection]:
    """A handler's connection; what it writes is rolled back."""
    with suppress(_Enough), Database(engine).handling() as db:
        db.watch()
        yield db
        db.set_back()
        raise _Enough


@contextmanager
def sent_row_by_row(engine: Engine) -> Iterator[list[str]]:
    """The statements with many sets of parameters that are left to the driver in the block."""
    left: list[str] = []

    def note(_cursor: Any, statement: str, _parameters: Any, _context: Any) -> None:
        left.append(statement)

    event.listen(engine, "do_executemany", note)
    yield left
    event.remove(engine, "do_executemany", note)
