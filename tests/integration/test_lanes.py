"""Lanes in real workers: those that are killed leave nothing locked, those that are told to stop leave nothing half
done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.rows.lane_app import LANES, Moved
from integration.rows.running_app import RunningApp

EVENTS = 60
HANDLERS = {"threads": "thread", "tasks": "task"}


@pytest.fixture
def app(postgres: str, tmp_path: Path) -> Iterator[RunningApp]:
    """Over the spool, on PostgreSQL; nobody waits long."""
    with RunningApp(postgres, "", tmp_path) as running:
        running.env["OYEZ_APP"] = "integration.rows.lane_app:on"
        running.env["ROWS_LIMIT"] = "60"  # nothing of these is to take longer than its timeout
        yield running


def announce_held(app: RunningApp) -> None:
    """Events of a key each, whose handlers wait."""
    (app.folder / "hold").touch()
    app.announce(*(Moved(k=f"k{n}", n=n) for n in range(EVENTS)))


def inside(app: RunningApp, group: str) -> int:
    return len(list(app.folder.glob(f"inside-{HANDLERS[group]}-*")))


@pytest.mark.parametrize("group", HANDLERS)
def test_a_worker_that_is_killed_leaves_what_it_ran_to_the_next(app: RunningApp, group: str) -> None:
    announce_held(app)
    listening = app.listen(group)
    app.until(lambda: inside(app, group) >= LANES)
    for worker in listening.children():
        worker.send_signal(signal.SIGKILL)
    (app.folder / "hold").unlink()
    app.until_handled(range(EVENTS), HANDLERS[group])
    app.until(lambda: app.left() == 0 and app.size("start") == 0)
    assert listening.stop() == 0


@pytest.mark.parametrize("group", HANDLERS)
def test_a_worker_that_is_told_to_stop_finishes_what_it_runs(app: RunningApp, group: str) -> None:
    announce_held(app)
    listening = app.listen(group)
    app.until(lambda: inside(app, group) >= LANES)
    listening.send(signal.SIGTERM)
    (app.folder / "hold").unlink()
    assert listening.wait() == 0
    done = app.count(HANDLERS[group])
    assert LANES <= done <= EVENTS
    assert app.left() == EVENTS - done
    assert app.size("start") == 0
    assert len(set(app.effects(HANDLERS[group]))) == done


@pytest.mark.parametrize("group", HANDLERS)
def test_what_does_not_finish_in_its_grace_is_undone(app: RunningApp, group: str) -> None:
    announce_held(app)
    listening = app.listen(group, grace=0.2)
    app.until(lambda: inside(app, group) >= LANES)
    listening.send(signal.SIGTERM)
    assert listening.wait() == 0
    assert app.count(HANDLERS[group]) == 0
    assert app.left() == EVENTS
    assert app.rows("parked", "attempts") == [0] * EVENTS, "that is no failure"
    (app.folder / "hold").unlink()
    app.listen(group)
    app.until_handled(range(EVENTS), HANDLERS[group])
