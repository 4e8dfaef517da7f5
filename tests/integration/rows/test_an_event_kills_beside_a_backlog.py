"""An event kills its workers while another partition of theirs has a backlog, which grows with each death."""

from __future__ import annotations

import json
from pathlib import Path

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Placed
from oyez.consumers.dev import Kafka
from oyez.producers.partitioning import partition_of

POISON = 1_000_000
QUIET, BUSY = (next(f"k{n}" for n in range(99) if partition_of(f"k{n}".encode(), 2) == p) for p in (1, 0))
SOON = json.dumps({"session.timeout.ms": 2_000, "heartbeat.interval.ms": 500})  # the dead are forgotten
DIED = "ended with exit code 1"


def live_until_death(app: RunningApp) -> bool:
    """Start a worker, and wait until it has died or the event was given up; whether it has died."""
    listening = app.listen("rows.placed")
    app.until(lambda: DIED in listening.output() or app.size("dead"), 60)
    if app.size("dead"):
        return False
    listening.stop()
    return True


def test_it_is_found_and_nothing_else_is_given_up(postgres: str, tmp_path: Path) -> None:
    innocent = [POISON + 1, POISON + 2]
    with (
        Kafka(settings={"group.min.session.timeout.ms": "1000"}) as broker,
        RunningApp(postgres, broker.bootstrap, tmp_path, partitions=2, batch=5, kafka_options=SOON) as app,
    ):
        app.announce(Placed(k=QUIET, n=POISON, asks="die"), *(Placed(k=QUIET, n=n) for n in innocent))
        for deaths in range(12):
            arrived = range(deaths * 30, deaths * 30 + 30)
            app.announce(*(Placed(k=BUSY, n=n) for n in arrived))
            innocent += arrived
            if not live_until_death(app):
                break
        assert app.size("dead") == 2, "both handlers of the one event"
        assert deaths <= 7, "three or four together, three alone"
        app.until_handled(innocent, "place", "pack")
