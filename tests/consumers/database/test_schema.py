"""The tables in a schema of their own, and what does not depend on the search path of the moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Inline
from consumers.pipeline import Opened, Pipeline, Placed, Viewed, note, one_line, placed, tables
from oyez.consumers import HandlerAnnouncer, Handlers, Reject
from oyez.consumers.database import DatabaseError, make_engine
from oyez.consumers.database.migrating import VERSION_TABLE, MigrationNeeded, require, upgrade
from oyez.producers import Settings
from support.tables import NAMES, tables_in

ODD = 'Odd "own" schema'


@pytest.fixture(params=["own", ODD])
def schema(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def engine(postgres: str, schema: str) -> Iterator[Engine]:
    engine = make_engine(postgres, schema=schema)
    upgrade(engine)
    tables.create_all(engine)
    yield engine
    engine.dispose()


def test_the_migration_makes_it_with_all_tables_in_it(engine: Engine, schema: str) -> None:
    upgrade(engine)
    require(engine)
    assert set(inspect(engine).get_table_names(schema=schema)) == {*NAMES, VERSION_TABLE}
    assert set(inspect(engine).get_table_names()) == set(tables.tables)
    with engine.connect() as db:
        options = {
            "compare_server_default": True,
            "include_schemas": True,
            "include_name": lambda name, kind, _parents: (
                name == schema if kind == "schema" else name != VERSION_TABLE
            ),
        }
        found = compare_metadata(MigrationContext.configure(db, opts=options), tables_in(schema))
    assert found == []


def test_tables_elsewhere_are_not_these(engine: Engine, postgres: str) -> None:
    usual = make_engine(postgres)
    with pytest.raises(MigrationNeeded) as caught:
        require(usual)
    one_line(caught.value, "has no tables", "oyez db upgrade")
    upgrade(usual)
    require(usual)
    require(engine)
    usual.dispose()


def test_whoever_may_not_make_schemas_is_given_one(postgres: str) -> None:
    owner = create_engine(postgres, isolation_level="AUTOCOMMIT")
    role = f"role_{owner.url.database}"
    with owner.connect() as db:
        db.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'p'"))
        db.execute(text(f"CREATE SCHEMA given AUTHORIZATION {role}"))
    theirs = owner.url.set(username=role, password="p").render_as_string(hide_password=False)
    engine = make_engine(theirs, schema="given")
    upgrade(engine)
    require(engine)
    engine.dispose()
    owner.dispose()


def test_a_worker_works_in_it(engine: Engine, postgres: str) -> None:
    """All that parks, waits, is released and given up; the handlers' own tables are where they were."""
    on, failing = Handlers("shop"), {2}

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        if event.n in failing:
            raise ValueError("as told")
        note(db, "place", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Placed(k="other", n=50))
        note(db, "open_", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    @on(Viewed)
    def fail(event: Viewed) -> None:
        raise Reject("always")

    pipeline = Pipeline(postgres, on, engine=engine)
    pipeline.handle(*placed(range(5), key="same"), Viewed(n=7))
    assert pipeline.effects("place") == [0, 1]
    failing.clear()
    pipeline.handle(Opened(n=8))
    pipeline.later()
    assert pipeline.effects("place") == [0, 1, 2, 3, 4]
    assert (pipeline.effects("open_"), pipeline.effects("view")) == ([8], [7])
    assert [handler for handler, _, _ in pipeline.dead()] == ["fail"]
    assert len(pipeline.rows("outbox")) == 1
    pipeline.close()


def test_inline_in_a_callers_transaction(engine: Engine, postgres: str) -> None:
    """The caller's connection knows nothing of it, before and after; what is given up gets its number there too."""
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        if event.n == 2:
            raise Reject("two")

    inline = Inline(postgres, on, engine=engine)
    callers = create_engine(postgres)
    with callers.connect() as db:
        db.execute(text("SET LOCAL search_path = pg_catalog, public"))
        options = db.get_execution_options()
        for n in (1, 2):
            inline.announcer.announce(Placed(n=n), db=db)
        db.commit()
        assert options == db.get_execution_options()
    assert inline.effects("place") == [1]
    assert [n for _, n, _ in inline.dead()] == [2]
    inline.close()
    callers.dispose()


def test_sqlite_has_none(sqlite: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        make_engine(sqlite, schema="own")
    one_line(caught.value, "SQLite has no schemas", "OYEZ_SCHEMA")


def test_it_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    assert Settings().database_schema is None
    monkeypatch.setenv("OYEZ_SCHEMA", "")
    assert Settings().database_schema is None
    monkeypatch.setenv("OYEZ_SCHEMA", "own")
    assert Settings().database_schema == "own"
    assert Settings(schema="mine").database_schema == "mine"
    assert Settings(**Settings().model_dump()).database_schema == "own"


def test_it_is_a_setting_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("oyez.toml", "w") as file:  # noqa: PTH123
        file.write('schema = "filed"\n')
    assert Settings().database_schema == "filed"
