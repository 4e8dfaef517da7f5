"""What is due and waits for a free lane, or for the end of a pause, is said to do that."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumers.admin.cafe_commands import APPS
from consumers.lanes.lane_pipeline import LanePipeline
from oyez.consumers.admin import Pausing
from oyez.consumers.cli import app
from oyez.consumers.core.apart import OWN
from oyez.consumers.database import Database
from oyez.consumers.execution.pauses import Pauses
from oyez.consumers.handlers.recorded_handlers import register
from oyez.consumers.lanes.choosing import Choosing
from oyez.consumers.lanes.unit import Busy, Room
from oyez.schemas import catalogue
from support.waiting import eventually

GROUP = "kitchen.kitchen.cooked"
AGO = 60.0  # s; when the orders came


class Kitchen:
    """Three orders of a minute ago, of two tables, that no lane has taken."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(APPS))
        monkeypatch.chdir(folder)
        for name, value in {"APP": "kitchen:on", "DATABASE": url, "TRANSPORT": "memory"}.items():
            monkeypatch.setenv(f"OYEZ_{name}", value)
        module: Any = importlib.import_module("kitchen")
        self.pipeline = LanePipeline(url, module.on, signals=catalogue)
        self.pipeline.clock.now = time.time() - AGO
        self.pipeline.announce(*(module.Cooked(table=f"t{n % 2}", n=n) for n in range(3)))
        eventually(lambda: self.pipeline.workers[GROUP].step() == 3)
        self.events: list[str] = self.pipeline.rows("parked", "event_id")
        with self.pipeline.engine.begin() as db:
            register(db, self.pipeline.application, self.pipeline.clock.now)

    def pause(self, name: str | None, key: str | None = None) -> None:
        pausing = Pausing(self.pipeline.application, Database(self.pipeline.engine), self.pipeline.clock, 1e5)
        assert pausing.pause(pausing.scope(name, key), "me@here", "too hot")

    def choose(self, units: int) -> None:
        """So many are given to lanes."""
        group, database = self.pipeline.application.groups[GROUP], Database(self.pipeline.engine)
        pauses = Pauses(database, group, self.pipeline.clock)
        choosing = Choosing(group, group.by_name["cook"], database, self.pipeline.clock, OWN, pauses)
        assert len(choosing.choose(Busy(), Room(units, 1)).units) == units

    def said(self, *arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    def state(self) -> Any:
        (found,) = json.loads(self.said("status", "--no-lag", "--json"))
        return found

    def part(self, at: int) -> Any:
        (found,) = json.loads(self.said("explain", self.events[at], "--no-lag", "--json"))
        (part,) = found["parts"]
        return part

    def listed(self) -> list[Any]:
        found: list[Any] = json.loads(self.said("retry", "list", "--json"))
        return found


@pytest.fixture
def kitchen(pipeline_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Kitchen(pipeline_database, tmp_path, monkeypatch)
    yield made
    made.pipeline.close()


def counts(**said: int) -> dict[str, int]:
    none = dict.fromkeys(["waiting", "behind", "due", "paused", "for_lane", "in_lane"], 0)
    return none | said


def test_what_waits_for_a_lane(kitchen: Kitchen) -> None:
    state = kitchen.state()
    assert state["parked"] == counts(due=2, behind=1, for_lane=2)
    ((handler, waiting, since),) = [tuple(one.values()) for one in state["lanes"]]
    assert (handler, waiting) == ("cook", 2)
    assert since.startswith("20")
    assert [kitchen.part(at)["lane"] for at in range(3)] == ["waits", "waits", None]
    assert [kitchen.part(at)["due_before"] for at in range(2)] == [0, 1]
    assert kitchen.part(0)["released_by"] == "a lane that is free"
    assert [one["lane"] for one in kitchen.listed()] == ["waits", "waits", None]
    assert "waits for\ta free lane; 1 of cook are due before it" in kitchen.said("explain", kitchen.events[1])
    assert "a free lane" in kitchen.said("retry", "list")
    assert f"{GROUP}\tcook\t2\t20" in kitchen.said("status", "--no-lag")


def test_what_is_in_one(kitchen: Kitchen) -> None:
    kitchen.choose(1)
    state = kitchen.state()
    assert state["parked"] == counts(due=2, behind=1, for_lane=1, in_lane=1)
    assert [one["waiting"] for one in state["lanes"]] == [1]
    assert [kitchen.part(at)["lane"] for at in range(2)] == ["begun", "waits"]
    assert "it is in one" in kitchen.said("explain", kitchen.events[0])


@pytest.mark.parametrize("name", ["cook", GROUP])
def test_what_is_paused(kitchen: Kitchen, name: str) -> None:
    kitchen.choose(1)
    kitchen.pause(name)
    state = kitchen.state()
    assert state["parked"] == counts(due=2, behind=1, paused=1, in_lane=1)
    assert [one["held"] for one in state["paused"]] == [1]
    assert state["lanes"] == []
    assert [one["lane"] for one in kitchen.listed()] == ["begun", None, None]
    assert [one["paused"]["reason"] for one in kitchen.listed()] == ["too hot"] * 3
    explained = kitchen.said("explain", kitchen.events[1])
    assert f"cook ({GROUP}): due, but paused since" in explained
    assert "  paused\tby me@here: too hot, since" in explained
    assert f"paused: the {'handler' if name == 'cook' else 'group'} {name}" in kitchen.said("retry", "list")


def test_a_key_that_is_paused(kitchen: Kitchen) -> None:
    kitchen.pause(None, "t0")
    kitchen.pause("cook", "t0")
    state = kitchen.state()
    assert state["parked"] == counts(due=2, behind=1, paused=1, for_lane=1)
    assert [one["held"] for one in state["paused"]] == [1, 1]
    assert [one["waiting"] for one in state["lanes"]] == [1]
    assert kitchen.part(0)["paused"]["key"] == "t0"
    assert kitchen.part(1)["paused"] is None
