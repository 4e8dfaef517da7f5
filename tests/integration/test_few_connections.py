"""Fewer connections to the database than the workers would like: they get on with those that there are."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from consumers.cli.running import Shop
from oyez.consumers.dev import Postgres
from support.pgbouncer import pgbouncer
from support.waiting import eventually

SOURCES = 3
EVENTS = 20
GROUPS = 3


def shop(folder: Path, database: str) -> Shop:
    """The shop on a spool of several sources."""
    made = Shop(folder, {"OYEZ_APP": "shop:on", "OYEZ_TRANSPORT": "spool", "OYEZ_DATABASE": database})
    made.print("db", "upgrade")
    with_table = create_engine(database)
    with with_table.begin() as db:
        db.execute(text("CREATE TABLE IF NOT EXISTS noted (what text)"))
    with_table.dispose()
    return made


def announce(shop: Shop) -> None:
    """Pages whose sessions start later, so that what waits is released, by another group."""
    for n in range(SOURCES):
        source = Shop(shop.folder, {**shop.settings, "OYEZ_SOURCE": f"web-{n}"})
        pages = "".join(f'{{"session_id": "s{n}", "url": "/{n}/{k}"}}\n' for k in range(EVENTS))
        source.print("announce", "cli.page.viewed", "-d", "-", given=pages)
        source.print("announce", "cli.session.started", "-d", f'{{"session_id": "s{n}"}}')


def all_are_handled(shop: Shop, beside: str, *said: str, workers: int) -> None:
    announce(shop)
    engine = create_engine(beside)

    def handled() -> bool:
        with engine.connect() as db:
            return int(db.execute(text("SELECT count(*) FROM noted")).scalar_one()) == SOURCES * (EVENTS + 1)

    with shop.running("listen", "--workers", str(workers)) as listening:
        try:
            eventually(handled, timeout=90)
        finally:
            print(listening.said())
        assert listening.end(signal.SIGTERM) == 0
        for word in said:
            assert word in listening.said()
        assert "Traceback" not in listening.said()
    with engine.connect() as db:
        assert db.execute(text("SELECT count(*) FROM oyez_dead")).scalar_one() == 0
        assert db.execute(text("SELECT count(*) FROM oyez_parked")).scalar_one() == 0
    engine.dispose()


@contextmanager
def limited_role(postgres: str, most: int) -> Iterator[str]:
    """The address of the database as a user who may have so many connections, and owns it."""
    server = create_engine(postgres, isolation_level="AUTOCOMMIT")
    name = make_url(postgres).database
    role = f"few_{name}"
    with server.connect() as db:
        db.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'p' CONNECTION LIMIT {most}"))
        db.execute(text(f"ALTER DATABASE {name} OWNER TO {role}"))
        db.execute(text(f"ALTER SCHEMA public OWNER TO {role}"))
    yield make_url(postgres).set(username=role, password="p").render_as_string(hide_password=False)
    with server.connect() as db:
        db.execute(text(f"ALTER DATABASE {name} OWNER TO CURRENT_USER"))
        db.execute(text(f"REASSIGN OWNED BY {role} TO CURRENT_USER"))
        db.execute(text(f"DROP ROLE {role}"))
    server.dispose()


def test_nine_workers_and_ten_connections(tmp_path: Path) -> None:
    """The server's own limit. One of the ten is the test's."""
    with Postgres(
        settings={"fsync": "off", "max_connections": "10", "superuser_reserved_connections": "0"}
    ) as server:
        made = shop(tmp_path, server.url())
        all_are_handled(made, server.url(), "9 workers need 18 connections", "get on with those", workers=3)


@pytest.mark.parametrize("most", [1, 2])
def test_one_connection_is_enough(tmp_path: Path, postgres: str, most: int) -> None:
    with limited_role(postgres, most) as database:
        made = shop(tmp_path, database)
        all_are_handled(made, postgres, f"only {most - 1} are free", workers=1)


@pytest.mark.parametrize("size", [1, 10])
def test_a_session_pool_that_is_smaller_than_the_workers_need(
    tmp_path: Path, postgres: str, size: int
) -> None:
    with pgbouncer(postgres, "session", default_pool_size=str(size)) as pooler:
        made = shop(tmp_path, pooler.url)
        all_are_handled(made, postgres, "connection pooler", workers=2)
