"""The packaged PostgreSQL: what is committed survives a crash, and its folder can be used again."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from oyez.consumers.dev import Postgres, ServiceError
from support.services import execute


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="oyez-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def answer(url: str, question: str) -> object:
    engine = create_engine(url)
    with engine.connect() as connection:
        result: object = connection.execute(text(question)).scalar()
    engine.dispose()
    return result


def test_it_is_version_18_on_this_machine_only(server: Postgres) -> None:
    assert "@127.0.0.1:" in server.url()
    assert str(answer(server.url(), "SHOW server_version")).startswith("18.")
    assert answer(server.url(), "SHOW listen_addresses") == "127.0.0.1"


def test_it_asks_for_its_password(server: Postgres) -> None:
    url = server.url()
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(Exception, match="password authentication failed"):
        answer(url.replace(password, "wrong"), "SELECT 1")


def test_what_was_committed_survives_a_kill(server: Postgres) -> None:
    url = server.create_database("survives")
    execute(url, "CREATE TABLE kept AS SELECT 1 AS n")
    server.kill()
    server.restart()
    assert answer(url, "SELECT n FROM kept") == 1
    server.drop_database("survives")


def test_a_busy_backend_does_not_outlive_a_kill(server: Postgres) -> None:
    busy = "SELECT sum(a * 1.5) FROM generate_series(1, 3000000) a, generate_series(1, 1000) b"
    engine = create_engine(server.url())
    with engine.connect() as connection:
        cursor = connection.connection.driver_connection
        assert cursor is not None
        cursor.pgconn.send_query(busy.encode())
        server.kill()
        server.restart()
        connection.invalidate()
    engine.dispose()
    assert answer(server.url(), "SELECT 1") == 1


def test_it_outlives_the_thread_that_started_it() -> None:
    server = Postgres()
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    assert answer(server.url(), "SELECT 1") == 1
    server.stop()


def test_a_given_folder_is_kept(reachable_folder: Path) -> None:
    with Postgres(reachable_folder / "pg") as first:
        execute(first.url(), "CREATE TABLE kept AS SELECT 2 AS n")
    with Postgres(reachable_folder / "pg") as second:
        assert answer(second.url(), "SELECT n FROM kept") == 2


def test_a_port_in_use_is_named(server: Postgres) -> None:
    port = int(server.url().rsplit(":", 1)[1].split("/")[0])
    with pytest.raises(ServiceError, match=f"127.0.0.1:{port}: the port is in use"):
        Postgres(port=port).start()


def test_a_setting_that_postgresql_refuses_is_shown() -> None:
    with pytest.raises(ServiceError, match="max_connections"):
        Postgres(settings={"max_connections": "many"}).start()
