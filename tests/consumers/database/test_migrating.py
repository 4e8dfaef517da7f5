"""Migrations: what they make is what the tables say, in a database of the user's own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from consumers.pipeline import one_line
from oyez.consumers.database import make_engine, metadata, migrating
from oyez.consumers.database.migrating import HEAD, VERSION_TABLE, MigrationNeeded, current, require, upgrade
from support.tables import NAMES, tables_in


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = make_engine(database)
    yield engine
    engine.dispose()


def names(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_migrations_make_what_the_tables_say(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as db:
        options = {
            "compare_server_default": True,
            "include_name": lambda name, _kind, _parents: name != VERSION_TABLE,
        }
        found = compare_metadata(MigrationContext.configure(db, opts=options), tables_in(None))
    assert found == []
    assert names(engine) == {*NAMES, VERSION_TABLE}


def test_sqlite_tables_are_the_same_to_the_letter(sqlite: str, tmp_path: object) -> None:
    """What no comparison shows: WITHOUT ROWID, AUTOINCREMENT."""
    migrated, made = make_engine(sqlite), make_engine(f"{sqlite}.made")
    upgrade(migrated)
    metadata.create_all(made)
    asked = text(
        "SELECT name, sql FROM sqlite_master WHERE name LIKE 'oyez_%' AND name != :version ORDER BY name"
    )
    texts = []
    for engine in (migrated, made):
        with engine.connect() as db:
            found = db.execute(asked, {"version": VERSION_TABLE}).all()
            texts.append({name: " ".join((sql or "").split()) for name, sql in found})
        engine.dispose()
    assert texts[0] == texts[1]
    assert "WITHOUT ROWID" in texts[0]["oyez_inbox"]
    assert "AUTOINCREMENT" in texts[0]["oyez_parked"]


def test_head_is_the_newest_script() -> None:
    assert ScriptDirectory.from_config(migrating._config()).get_heads() == [HEAD]


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as db:
        db.execute(
            text(
                "INSERT INTO oyez_handler (app, handler, group_name) VALUES ('shop', 'place', 'shop.placed')"
            )
        )
    upgrade(engine)
    require(engine)
    with engine.connect() as db:
        assert db.execute(text("SELECT count(*) FROM oyez_handler")).scalar_one() == 1
    assert current(engine) == HEAD


def test_require_names_the_database_and_the_command(engine: Engine) -> None:
    with pytest.raises(MigrationNeeded) as caught:
        require(engine)
    message = one_line(caught.value, engine.url.database or "", "has no tables", "oyez db upgrade")
    if engine.url.password:
        assert engine.url.password not in message


def test_require_refuses_older_tables(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as db:
        db.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0000'"))
    with pytest.raises(MigrationNeeded) as caught:
        require(engine)
    one_line(caught.value, "revision 0000", HEAD, "oyez db upgrade")


def test_newer_tables_want_a_newer_oyez(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as db:
        db.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    for check in (require, upgrade):
        with pytest.raises(MigrationNeeded) as caught:
            check(engine)
        message = one_line(caught.value, "revision 9999", HEAD, "newer")
        assert "db upgrade" not in message


def test_beside_the_users_own_migrations(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        db.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
        db.execute(text("CREATE TABLE customer (id INTEGER PRIMARY KEY)"))
    upgrade(engine)
    with engine.connect() as db:
        assert list(db.execute(text("SELECT version_num FROM alembic_version")).scalars()) == ["theirs"]
    assert names(engine) == {*NAMES, VERSION_TABLE, "alembic_version", "customer"}
    assert current(engine) == HEAD


def test_a_failed_upgrade_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("CREATE TABLE oyez_parked (id INTEGER PRIMARY KEY)"))
    with pytest.raises(Exception, match="oyez_parked"):
        upgrade(engine)
    assert names(engine) == {"oyez_parked"}
    with engine.begin() as db:
        db.execute(text("DROP TABLE oyez_parked"))
    upgrade(engine)
    require(engine)


def migrate(url: str) -> None:
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()


def test_several_upgrades_at_the_same_time(database: str) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=migrate, args=[database], daemon=True) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    engine = make_engine(database)
    require(engine)
    engine.dispose()
