"""The schema that Oyez's tables are in: written into each statement over them when it is executed.

SQLAlchemy's own ``schema_translate_map`` would do the same, but handlers and applications use it for their tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from oyez.producers.outbox import SCHEMA

OPTION = "oyez_schema"
"""The execution option of engines and connections that says the schema."""
_EVENT = "before_cursor_execute"
_PREFIX = f"{SCHEMA}."

Rewrite = Callable[..., tuple[str, Any]]


def put_tables_in(engine: Engine, schema: str | None) -> None:
    """Let Oyez's tables be in ``schema`` on an engine's connections; None: where a new connection makes tables."""
    engine.update_execution_options(**{OPTION: schema})
    event.listen(engine, _EVENT, _rewrite(schema), retval=True)


def knowing_the_schema(engine: Engine) -> Engine:
    """The engine itself, or one over an application's own, which is left as it is."""
    if OPTION in engine.get_execution_options():
        return engine
    ours = engine.execution_options()
    put_tables_in(ours, None)
    return ours


def schema_of(database: Engine | Connection) -> str | None:
    """The schema that was said for an engine, or a connection."""
    said: str | None = database.get_execution_options().get(OPTION)
    return said


@contextmanager
def tables_in(db: Connection, schema: str | None) -> Iterator[None]:
    """The same for a while, on a connection of somebody else's."""
    rewrite = _rewrite(schema)
    before = schema_of(db)
    db.execution_options(**{OPTION: schema})
    event.listen(db, _EVENT, rewrite, retval=True)
    try:
        yield
    finally:
        event.remove(db, _EVENT, rewrite)
        db.execution_options(**{OPTION: before})


def place(db: Connection, schema: str | None) -> str | None:
    """The schema in which tables are looked for; None where there are none."""
    return schema or db.dialect.default_schema_name


def quoted(db: Connection, schema: str | None) -> str:
    """The same as it stands before a table's name."""
    there = place(db, schema)
    return "" if there is None else f"{db.dialect.identifier_preparer.quote_schema(there)}."


def _rewrite(schema: str | None) -> Rewrite:
    def rewrite(
        db: Connection, _cursor: object, statement: str, parameters: Any, _context: object, _many: bool
    ) -> tuple[str, Any]:
        if SCHEMA in statement:
            statement = statement.replace(_PREFIX, quoted(db, schema))
        return statement, parameters

    return rewrite
