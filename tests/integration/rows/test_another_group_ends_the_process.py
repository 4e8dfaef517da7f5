"""Two groups share a process, and an event of one kills it: the other one loses nothing, doubles nothing, and nothing
of it is given up. What kills is given up, as anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Opened, Placed
from support.processes import Program

MANY = 400
TOGETHER = 3  # deaths, after which each is run alone
LIVES = 7  # more than it takes to give up what was alone each time: three together, three alone


@pytest.fixture(params=["kafka", "spool"])
def shared_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningApp]:
    """The application over Kafka and PostgreSQL, or on a spool and SQLite."""
    over_kafka = request.param == "kafka"
    database = request.getfixturevalue("postgres" if over_kafka else "sqlite")
    kafka = request.getfixturevalue("kafka") if over_kafka else ""
    with RunningApp(database, kafka, tmp_path, partitions=2, batch=20, processes=1) as made:
        yield made


def listen(app: RunningApp) -> Program:
    """Both groups in one process, from which each has begun."""
    program = app.listen("rows.placed", "rows.opened")
    app.until(lambda: program.output().count("worker started") >= 2, 90)
    return program


def killed_only_the_killer(app: RunningApp, killer: int) -> None:
    assert (
        sorted(app.rows("dead", "group_name", "reason"))
        == [(app.group("rows.placed"), "killed its worker")] * 2
    ), "both handlers of the one event"
    assert killer not in app.effects("place")


def test_the_other_goes_on_in_a_process_of_its_own(shared_app: RunningApp) -> None:
    app = shared_app
    listening = listen(app)
    assert len(listening.children()) == 1
    for at in range(0, MANY, 40):
        app.announce(*(Opened(s=f"s{n}", n=n) for n in range(at, at + 40)))
        app.announce(*(Placed(k="k", n=n, asks="die" if n == 80 else "") for n in range(at, at + 40)))
    app.until_handled(range(MANY), "open_up", timeout=120)
    app.until(lambda: app.size("dead") == 2, 120)
    app.until_handled((n for n in range(MANY) if n != 80), "place", "pack", timeout=120)
    killed_only_the_killer(app, 80)
    assert app.size("parked") == 0
    assert len(listening.children()) == 2
    assert listening.output().count("ended with exit code 1") >= 2
    assert listening.stop() == 0, listening.output()


def die_together(app: RunningApp) -> None:
    """A machine's process dies while both have an event in hand, and the machine with it: its supervisor is frozen, so
    that nobody is started again there."""
    (app.folder / "inside").unlink(missing_ok=True)
    listening = app.listen("rows.placed", "rows.opened")
    # Before the workers have joined their groups, so before one can die, or leave for another process. The child that
    # asks whether Kafka is there comes and goes before that is said.
    app.until(lambda: "listening to Kafka" in listening.output() and listening.children(), 90, every=0.01)
    listening.freeze()
    app.until(lambda: not listening.children(), 120)
    listening.end()


def test_however_many_machines_it_kills(postgres: str, kafka: str, tmp_path: Path) -> None:
    """(SQLite lets one at a time have an event in hand.)"""
    with RunningApp(postgres, kafka, tmp_path, partitions=2, processes=1) as app:
        app.announce(Opened(s="s", n=1, asks="wait"), Placed(k="k", n=2, asks="die-beside"))
        app.announce(Opened(s="t", n=3), Placed(k="k", n=4))
        for life in range(LIVES):
            die_together(app)
            assert (app.folder / "inside").exists() or life >= TOGETHER, "nothing was in hand"
        (app.folder / "go").touch()
        listening = listen(app)
        app.until_handled([1, 3], "open_up", timeout=120)
        app.until_handled([4], "place", "pack", timeout=120)
        killed_only_the_killer(app, 2)
        assert listening.stop() == 0, listening.output()
