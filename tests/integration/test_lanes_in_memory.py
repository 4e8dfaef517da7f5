"""Lanes in memory in real workers on a real Kafka: killed, told to stop, and dealt other partitions."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from integration.rows.loose_app import LANES, Passed, check_keys, said_in
from integration.rows.running_app import RunningApp
from support.waiting import eventually

EVENTS = 300
PARTITIONS = 4
HANDLERS = {"threads": "thread", "tasks": "task"}
EACH_GROUP = pytest.mark.parametrize("group", HANDLERS)


@pytest.fixture
def app(pg_or_file: str, kafka: str, tmp_path: Path) -> Iterator[RunningApp]:
    with RunningApp(pg_or_file, kafka, tmp_path, partitions=PARTITIONS) as running:
        running.env["OYEZ_APP"] = "integration.rows.loose_app:on"
        yield running


@pytest.fixture
def pg_or_file(tmp_path: Path) -> str:
    """These groups need a database only for what fails."""
    return f"sqlite:///{tmp_path / 'loose.db'}"


def begun(app: RunningApp, group: str) -> list[int]:
    return [step.n for step in said_in(app.folder, HANDLERS[group], lambda step: step.what == "begun")]


def ended(app: RunningApp, group: str) -> list[int]:
    return [step.n for step in said_in(app.folder, HANDLERS[group], lambda step: step.what == "ended")]


def committed(app: RunningApp, group: str) -> int:
    """How many records the group has got past, as Kafka has it."""
    return eventually(lambda: answered(app, group)).total()


def answered(app: RunningApp, group: str) -> Counter[int] | None:
    """By partition; None while the group's coordinator moves, as it does when topics are new."""
    client = Consumer({"bootstrap.servers": app.kafka, "group.id": app.group(group)})
    try:
        asked = [TopicPartition(app.topic, n) for n in range(PARTITIONS)]
        return Counter({one.partition: max(0, one.offset) for one in client.committed(asked, timeout=20)})
    except KafkaException:
        return None
    finally:
        client.close()


@EACH_GROUP
def test_what_a_killed_worker_had_under_way_is_handled_again(app: RunningApp, group: str) -> None:
    listening = app.listen(group)
    app.announce(*(Passed(k=f"k{n}", n=n) for n in range(EVENTS)))
    app.until(lambda: committed(app, group) == EVENTS)
    (app.folder / "hold").touch()
    app.announce(*(Passed(k=f"k{n}", n=n) for n in range(EVENTS, 2 * EVENTS)))
    app.until(lambda: len(begun(app, group)) == EVENTS + LANES)
    for worker in listening.children():
        worker.send_signal(signal.SIGKILL)
    (app.folder / "hold").unlink()
    app.until(lambda: set(ended(app, group)) == set(range(2 * EVENTS)))
    app.until(lambda: committed(app, group) == 2 * EVENTS)
    assert listening.stop() == 0
    twice = {n for n, times in Counter(ended(app, group)).items() if times > 1}
    assert not twice & set(range(EVENTS)), "these were committed"
    assert app.left() == 0


def test_an_event_that_kills_its_worker_is_found_among_those_beside_it(tmp_path: Path) -> None:
    """Over the spool, whose partitions are free as soon as their worker has died."""
    killing, count = 17, 40
    others = set(range(count)) - {killing}
    with RunningApp(f"sqlite:///{tmp_path / 'loose.db'}", "", tmp_path) as app:
        app.env["OYEZ_APP"] = "integration.rows.loose_app:on"
        app.announce(*(Passed(k=f"k{n % 7}", n=n, asks="die" if n == killing else "") for n in range(count)))
        listening = app.listen(*HANDLERS)
        app.until(lambda: app.size("dead") == len(HANDLERS), 120)
        app.until(lambda: all(set(ended(app, group)) == others for group in HANDLERS))
        assert app.rows("dead", "reason") == ["killed its worker"] * len(HANDLERS)
        assert {json.loads(value)["data"]["n"] for value in app.rows("dead", "value")} == {killing}
        assert app.size("parked") == 0
        assert listening.stop() == 0
    for group in HANDLERS:
        assert begun(app, group).count(killing) <= 7, "three or four beside others, three alone"


@EACH_GROUP
def test_a_worker_that_is_told_to_stop_commits_what_it_has_finished(app: RunningApp, group: str) -> None:
    (app.folder / "hold").touch()
    app.announce(*(Passed(k=f"k{n}", n=n) for n in range(EVENTS)))
    listening = app.listen(group)
    app.until(lambda: len(begun(app, group)) == LANES)
    listening.send(signal.SIGTERM)
    (app.folder / "hold").unlink()
    assert listening.wait() == 0
    assert sorted(ended(app, group)) == sorted(begun(app, group))
    app.until(lambda: committed(app, group) == len(ended(app, group)))
    app.listen(group)
    app.until(lambda: committed(app, group) == EVENTS)
    assert Counter(ended(app, group)) == Counter(range(EVENTS))


def test_what_does_not_finish_in_its_grace_is_read_again(app: RunningApp) -> None:
    (app.folder / "hold").touch()
    app.announce(*(Passed(k=f"k{n}", n=n) for n in range(EVENTS)))
    listening = app.listen("tasks", grace=0.2)
    app.until(lambda: len(begun(app, "tasks")) == LANES)
    listening.send(signal.SIGTERM)
    assert listening.wait() == 0
    assert ended(app, "tasks") == []
    assert committed(app, "tasks") == 0
    (app.folder / "hold").unlink()
    app.listen("tasks")
    app.until(lambda: committed(app, "tasks") == EVENTS)
    assert Counter(ended(app, "tasks")) == Counter(range(EVENTS))
    assert app.left() == 0


class Flow:
    """Events of some keys, more and more of them."""

    def __init__(self, app: RunningApp, group: str) -> None:
        self.count = 0
        self._app = app
        self._handler = HANDLERS[group]

    def goes_on(self, keys: int = 40) -> None:
        self._app.announce(*(Passed(k=f"k{n % keys}", n=n) for n in range(self.count, self.count + 2 * keys)))
        self.count += 2 * keys

    def is_shared(self) -> bool:
        """Whether another worker has begun some; or else it goes on."""
        self.goes_on()
        return len({step.pid for step in said_in(self._app.folder, self._handler)}) >= 2


@EACH_GROUP
def test_partitions_move_while_handlers_run(app: RunningApp, group: str) -> None:
    flow = Flow(app, group)
    first = app.listen(group)
    flow.goes_on()
    app.until(lambda: begun(app, group))
    app.listen(group)
    app.until(flow.is_shared)
    first.send(signal.SIGTERM)
    flow.goes_on()
    assert first.wait() == 0
    flow.goes_on()
    app.until(lambda: set(ended(app, group)) == set(range(flow.count)))
    app.until(lambda: committed(app, group) == flow.count)
    handler = HANDLERS[group]
    for pid in {step.pid for step in said_in(app.folder, handler)}:
        check_keys([step for step in said_in(app.folder, handler) if step.pid == pid])
    assert app.left() == 0


def test_a_slow_event_pauses_its_partition_and_no_other(app: RunningApp) -> None:
    listening = app.listen("tasks", in_flight=20)
    (app.folder / "hold").touch()
    app.announce(*(Passed(k="slow", n=n) for n in range(100)))
    app.until(lambda: len(begun(app, "tasks")) == 1)
    app.announce(*(Passed(k=f"k{n}", n=n) for n in range(100, 160)))
    app.until(lambda: len(begun(app, "tasks")) >= 20)
    (app.folder / "hold").unlink()
    app.until(lambda: committed(app, "tasks") == 160)
    assert Counter(ended(app, "tasks")) == Counter(range(160))
    check_keys(said_in(app.folder, "task"))
    assert listening.stop() == 0


def test_two_groups_share_a_process(app: RunningApp) -> None:
    app.announce(*(Passed(k=f"k{n % 50}", n=n) for n in range(EVENTS)))
    listening = app.listen(*HANDLERS, processes=1)
    for group, handler in HANDLERS.items():
        app.until(lambda group=group: committed(app, group) == EVENTS)  # type: ignore[misc]
        assert Counter(ended(app, group)) == Counter(range(EVENTS))
        check_keys(said_in(app.folder, handler))
    assert listening.stop() == 0
