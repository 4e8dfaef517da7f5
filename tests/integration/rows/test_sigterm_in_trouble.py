"""SIGTERM while something keeps a worker from getting on: it stops all the same, and nobody has to kill it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import Connection, insert, text, update

from integration.rows.conftest import Place
from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Placed, effects
from oyez.consumers.dev import Kafka
from support.processes import Program
from support.waiting import eventually

KILLED = "killing it"
LOCKS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def stops(listening: Program) -> str:
    """Tell it to stop; what it has said."""
    listening.send(signal.SIGTERM)
    assert listening.wait(90) == 0, listening.output()
    assert KILLED not in listening.output()
    return listening.output()


@contextmanager
def holding(app: RunningApp, lock: Callable[[Connection], object]) -> Iterator[None]:
    """Another transaction has what a worker needs, and does not end."""
    with app.engine.connect() as other, other.begin():
        lock(other)
        yield


def waits(app: RunningApp) -> bool:
    with app.engine.connect() as db:
        return bool(db.execute(LOCKS).scalar())


def check_handled_once(app: RunningApp, count: int) -> None:
    """Whoever comes next does all that was left."""
    again = app.listen("rows.placed", env={"ROWS_SECONDS": "0"})
    app.until(lambda: "worker started" in again.output())
    app.until_handled(range(count), "place", "pack", timeout=90)
    assert again.stop() == 0


def test_a_handler_that_waits_for_somebodys_lock(running_app: Place) -> None:
    """That is no failure of its own: nothing of its batch is written."""
    app = running_app(partitions=1)
    with app.engine.begin() as db:
        db.execute(insert(effects).values(handler="locked", k="", n=0))
    with holding(
        app, lambda db: db.execute(update(effects).where(effects.c.handler == "locked").values(n=1))
    ):
        app.announce(*(Placed(k=f"k{n}", n=n, asks="lock" if n == 5 else "") for n in range(10)))
        listening = app.listen("rows.placed")
        app.until(lambda: waits(app))
        said = stops(listening)
    assert "was told to stop 18 s ago, and still is in" in said
    assert app.count() == 0
    assert app.left() == 0
    check_handled_once(app, 10)


def test_a_statement_of_oyez_that_waits_for_somebodys_lock(running_app: Place) -> None:
    app = running_app(partitions=1)
    listening = app.listen("rows.placed")
    app.announce(Placed(k="k", n=0))
    app.until_handled([0])
    with holding(app, lambda db: db.execute(text("LOCK TABLE oyez_inbox IN EXCLUSIVE MODE"))):
        app.announce(*(Placed(k=f"k{n}", n=n) for n in range(1, 10)))
        app.until(lambda: waits(app))
        stops(listening)
    check_handled_once(app, 10)


def test_a_handler_that_has_become_slow(running_app: Place) -> None:
    """It was quick for a hundred events, and takes a second for each from then on."""
    app = running_app(partitions=1)
    asks = {100: "wait", **dict.fromkeys(range(101, 250), "sleep")}
    app.announce(*(Placed(k=f"k{n}", n=n, asks=asks.get(n, "")) for n in range(250)))
    listening = app.listen("rows.placed", env={"ROWS_SECONDS": "1"})
    app.until((app.folder / "inside").exists)
    listening.send(signal.SIGTERM)
    (app.folder / "go").touch()
    stops(listening)
    assert app.count() < 150
    check_handled_once(app, 250)


def test_a_broker_that_says_nothing_any_more(postgres: str, own_kafka: Kafka, tmp_path: Path) -> None:
    """The client would wait for the commit of its offsets, a minute and longer."""
    with RunningApp(postgres, own_kafka.bootstrap, tmp_path, partitions=1) as app:
        listening = app.listen("rows.placed")
        app.announce(*(Placed(k=f"k{n}", n=n) for n in range(5)))
        app.until_handled(range(5))
        app.announce(*(Placed(k=f"k{n}", n=n, asks="wait" if n == 5 else "") for n in range(5, 10)))
        eventually((app.folder / "inside").exists)
        brokers = [one for one in psutil.Process().children(recursive=True) if one.name() == "java"]
        broker = next(one for one in brokers if own_kafka.bootstrap.split(":")[1] in _listens(one))
        broker.suspend()
        try:
            (app.folder / "go").touch()
            said = stops(listening)
        finally:
            broker.resume()
        assert "the group is left without a word" in said
        check_handled_once(app, 10)


def _listens(process: psutil.Process) -> list[str]:
    return [str(one.laddr.port) for one in process.net_connections() if one.status == "LISTEN"]
