"""The database of an import: made ready, emptied, and read for the report and the check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Delete,
    Engine,
    TableClause,
    create_engine,
    delete,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from visits import processes, tables
from visits.accesslog import AccessLog
from visits.checks import Place
from visits.errors import NOT_FOUND, UNREACHABLE, VisitsError
from visits.handlers import on
from visits.oyez_tables import dead, handler, inbox, outbox, parked, position, prerequisite
from visits.progress import GROUPS, last_parked
from visits.sessions import Visit
from visits.tables import imports, landings, trail, visits
from visits.trails import Trail
from visits.work import Run


def file_in(folder: Path) -> str:
    """The address of an import's own database in a folder, whatever that is called."""
    return URL.create("sqlite", database=f"{folder.absolute()}/visits.db").render_as_string()


def opened(url: str) -> Engine:
    """The engine of a database that may not exist yet; VisitsError if the address is wrong."""
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise VisitsError(f"the database address cannot be read: {error}") from None
    if address.get_backend_name() not in ("postgresql", "sqlite"):
        raise VisitsError(f"database {address.get_backend_name()}: Oyez works on PostgreSQL and SQLite")
    return create_engine(address)


def existing(url: str) -> Engine:
    """The engine of a database that something was imported into; VisitsError otherwise."""
    engine = opened(url)
    file = engine.url.database
    # Asking SQLite would make the file.
    absent = engine.dialect.name == "sqlite" and file and not Path(file).exists()
    if not absent:
        with connected(engine) as db:
            absent = not inspect(db).has_table(imports.name) or not db.execute(select(imports)).first()
    if absent:
        raise VisitsError(
            f"no import in {_named(engine)}: run `python -m visits import LOG` first", NOT_FOUND
        )
    return engine


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction; VisitsError if the database cannot be reached."""
    with reached(engine), engine.begin() as db:
        yield db


@contextmanager
def reached(engine: Engine) -> Iterator[None]:
    """VisitsError, in one line, for what the database says in the block."""
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise VisitsError(f"database {_named(engine)}: {reason}", UNREACHABLE) from None


def _named(engine: Engine) -> str:
    """The address as it may be shown: a password may stand in its query, too."""
    return repr(engine.url.set(query={}))


def begin_import(engine: Engine, run: Run, log: AccessLog) -> int:
    """Make the tables and note the import; the number last given to a parked delivery."""
    with connected(engine):
        pass  # it is there: `oyez db upgrade` need not find that out
    processes.upgrade_database(engine.url.render_as_string(hide_password=False))
    with connected(engine) as db:
        tables.metadata.create_all(db)
        earlier = db.execute(select(imports.c.log)).scalars().first()
        if earlier is not None:
            raise VisitsError(
                f"{_named(engine)} holds the import of {earlier} already: "
                "name another database, or give --replace to throw that import away"
            )
        noted = {"topic": run.topic, "log": run.log, "servers": run.servers}
        db.execute(insert(imports).values(**noted, lines=log.lines, unparsed_lines=log.unparsed))
        return last_parked(db)


def forget(engine: Engine) -> None:
    """Throw away what was imported, and what Oyez keeps of it."""
    ours: dict[TableClause, Delete] = {
        outbox: delete(outbox).where(outbox.c.topic.in_(select(imports.c.topic)))
    }
    ours |= {table: delete(table) for table in (visits, trail, landings, imports)}
    ours |= {table: delete(table).where(table.c.group_name.in_(GROUPS)) for table in (position, inbox)}
    ours |= {
        table: delete(table).where(table.c.app == on.app) for table in (prerequisite, parked, dead, handler)
    }
    with connected(engine) as db:
        there = set(inspect(db).get_table_names())
        for table, statement in ours.items():
            if table.name in there:
                db.execute(statement)


def visits_in(db: Connection) -> dict[str, Visit]:
    """The table visits, by session."""
    rows = db.execute(select(*(column for column in visits.c if column is not visits.c.exit_line)))
    return {row.session_id: Visit(*row) for row in rows}


def trails_in(db: Connection) -> dict[Place, Trail]:
    """The table trail, by session and source."""
    return {(row.session_id, row.source): Trail(row.events, row.h) for row in db.execute(select(trail))}


def landings_in(db: Connection) -> dict[str, list[str]]:
    """The table landing: the pages of each session."""
    found: dict[str, list[str]] = {}
    for row in db.execute(select(landings)):
        found.setdefault(row.session_id, []).append(row.page)
    return found
