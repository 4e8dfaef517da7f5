"""A database that Oyez does not know is added in one file: this one. To SQLAlchemy it is SQLite under another name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.ddl.sqlite import SQLiteImpl
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Viewed, note, one_line, placed, prepare
from oyez.consumers import Handlers, NotReady
from oyez.consumers.database import DatabaseError, make_engine
from oyez.consumers.database.dialects.lookup import GROUP, dialect_named
from oyez.consumers.database.dialects.sqlite import SQLite
from support.plugins import install

HOME = Path(__file__).parents[3]


class AnotherInSQLAlchemy(SQLiteDialect_pysqlite):
    """What a package for SQLAlchemy brings."""

    name = "another"
    supports_statement_cache = True


class AnotherInAlembic(SQLiteImpl):
    """The same for Alembic."""

    __dialect__ = "another"


class Another(SQLite):
    """What Oyez asks of it."""

    title = "Another"
    plain_address = "another:///"


DIALECT = Another()


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a fresh database of the new kind."""
    install(tmp_path / "installed", "another", {GROUP: {"another": f"{__name__}:DIALECT"}})
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    registry.register("another", __name__, "AnotherInSQLAlchemy")
    yield f"another:///{tmp_path / 'another.db'}"
    dialect_named.cache_clear()


@pytest.fixture
def engine(another: str) -> Iterator[Engine]:
    prepare(another)
    engine = make_engine(another)
    yield engine
    engine.dispose()


def test_it_is_found_by_its_name(engine: Engine) -> None:
    assert dialect_named(engine.dialect.name).title == "Another"
    with engine.connect() as db:
        assert "oyez_parked" in inspect(db).get_table_names()


def test_it_is_named_where_a_database_is_not_known(another: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        make_engine("mysql://u:secret@host/db")
    one_line(caught.value, "mysql", "Another and PostgreSQL and SQLite")


def test_a_worker_runs_on_it(engine: Engine, another: str) -> None:
    """Each event once, though it is read twice; what fails and what waits comes later, in order."""
    on, failing = Handlers("shop"), {2}

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        if event.n in failing:
            raise ValueError("as told")
        note(db, "place", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open_", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    pipeline = Pipeline(another, on, engine=engine)
    events = placed(range(5), key="same")
    pipeline.handle(*events, Viewed(n=7))
    assert pipeline.effects("place") == [0, 1]
    assert [n for handler, n, _ in pipeline.parked() if handler == "place"] == [2, 3, 4]
    assert pipeline.effects("view") == []
    failing.clear()
    pipeline.handle(Opened(n=8))
    pipeline.later()
    for worker in pipeline.workers.values():
        log = worker._log
        log.start(dict.fromkeys(log.positions(), 0))
    pipeline.run()
    assert pipeline.effects("place") == [0, 1, 2, 3, 4]
    assert (pipeline.effects("open_"), pipeline.effects("view")) == ([8], [7])
    assert pipeline.is_clean()
    pipeline.close()


def test_what_is_given_up_gets_a_place_there(engine: Engine, another: str) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        raise NotReady(Opened, "never")

    pipeline = Pipeline(another, on, engine=engine, max_age=10.0)
    pipeline.handle(*placed([1], key="same"))
    pipeline.later()
    assert [(handler, n) for handler, n, _ in pipeline.dead()] == [("place", 1)]
    assert pipeline.rows("dead", "parked_id") == [1]
    pipeline.close()


def _asks_for_a_name(node: ast.AST) -> bool:
    """Whether a comparison is with the name of a dialect or a transport."""
    if not isinstance(node, ast.Compare):
        return False
    asked = {ast.unparse(one) for one in (node.left, *node.comparators)}
    return any(text.endswith((".dialect.name", ".transport", "get_backend_name()")) for text in asked) or (
        "dialect" in asked
    )


def test_nobody_asks_for_the_name_of_a_database_or_a_transport() -> None:
    """Tables by name are registries; an `if` would be one more file to change for the next kind."""
    found = [
        f"{source.relative_to(HOME)}:{node.lineno}"
        for source in sorted((HOME / "consumers" / "oyez").rglob("*.py"))
        for node in ast.walk(ast.parse(source.read_text()))
        if _asks_for_a_name(node) and isinstance(node, ast.Compare)
        if not {"INSTEAD", "REFUSED", "PROBES"} & {ast.unparse(one) for one in node.comparators}
    ]
    assert found == []
