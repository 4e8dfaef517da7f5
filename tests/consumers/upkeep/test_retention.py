"""What is forgotten: the inbox after its window, prerequisites that nobody uses, dead letters where a time is set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, note
from oyez.consumers import Handlers, NotReady, Reject
from oyez.consumers.database import Database
from oyez.consumers.database.tables import inbox, prerequisite
from oyez.consumers.execution.readiness import SEEN_FOR
from oyez.consumers.upkeep import retention as walking
from oyez.consumers.upkeep.retention import InboxWindow
from oyez.schemas import Catalogue, Signal

DAY = 86_400.0


def shop(refused: set[int] | None = None) -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        if event.n in (refused or ()):
            raise Reject("as told")
        note(db, "open_", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several steps for a few rows."""
    monkeypatch.setattr(walking, "STEP", 3)


def ids(pipeline: Pipeline, group: str) -> list[str]:
    with pipeline.engine.connect() as db:
        return list(db.execute(select(inbox.c.event_id).where(inbox.c.group_name == group)).scalars())


def prerequisites(pipeline: Pipeline) -> list[str]:
    return sorted(pipeline.rows("prerequisite", "subject"))


def sweeps(pipeline: Pipeline, count: int = 8) -> None:
    """So many minutes pass."""
    for _ in range(count):
        pipeline.later(61.0)


def announced_again(pipeline: Pipeline, record: Any) -> None:
    """A record that the log had before arrives once more."""
    pipeline.announcer._transport.send("pipeline", record.key(), record.value())
    pipeline.run()


def test_an_event_is_dropped_within_the_window_and_handled_again_after_it(play: Play) -> None:
    pipeline = play(shop(), inbox_days=14)
    pipeline.handle(Placed(n=1))
    (record,) = pipeline.broker.read("pipeline", 0, 0, 1)
    pipeline.later(13.9 * DAY)
    announced_again(pipeline, record)
    assert pipeline.effects() == [1]
    pipeline.later(0.2 * DAY)
    sweeps(pipeline)
    announced_again(pipeline, record)
    assert pipeline.effects() == [1, 1]


def test_the_whole_window_is_kept_and_all_before_it_is_not(play: Play) -> None:
    pipeline = play(shop(), inbox_days=2)
    pipeline.handle(*(Placed(n=n) for n in range(10)))
    pipeline.later(DAY)
    old = set(ids(pipeline, "shop.placed"))
    pipeline.handle(*(Placed(n=n) for n in range(10, 20)))
    pipeline.later(1.1 * DAY)
    sweeps(pipeline)
    left = set(ids(pipeline, "shop.placed"))
    assert len(left) == 10
    assert not left & old


def walk(pipeline: Pipeline, taken: dict[str, float], *, before: float, source: str = "web") -> set[str]:
    """What is left of an inbox with these ids, taken at these times, after one walk."""
    rows = [{"group_name": "g", "source": source, "event_id": i, "taken_at": at} for i, at in taken.items()]
    with pipeline.engine.begin() as db:
        db.execute(inbox.delete())
        db.execute(insert(inbox), rows)
    task, database = InboxWindow("g", 0.0), Database(pipeline.engine)
    for _ in range(1_000):
        if not task.step(database, before):
            return set(ids(pipeline, "g"))
    raise AssertionError("it never ends")


def uuid7(moment: float, n: int = 0) -> str:
    digits = f"{int(moment * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{n:012x}"


def test_ids_of_others_are_found_wherever_they_running_app(play: Play) -> None:
    pipeline = play(shop())
    now = 1_700_000_000.0
    taken = {f"{n:05}": now - 10.0 if n % 3 else now + 10.0 for n in range(50)}
    assert walk(pipeline, taken, before=now) == {i for i, at in taken.items() if at >= now}


def test_ids_by_time_are_read_up_to_the_first_that_cannot_be_old(play: Play) -> None:
    """Late ones among them, and others' ids before and after them, are found all the same."""
    pipeline = play(shop())
    now = 1_700_000_000.0
    old = {uuid7(now - 100 + n, n): now - 90.0 for n in range(10)}
    late = {uuid7(now - 50 + n, n): now + 90.0 for n in range(10)}
    old |= {uuid7(now - 30 + n, n): now - 1.0 for n in range(10)}
    new = {uuid7(now + n, n): now + 90.0 + n for n in range(1, 40)}
    others = {f"{mark}{n}": now - 5.0 for mark in "0a" for n in range(7)}
    assert walk(pipeline, old | late | new | others, before=now) == set(late) | set(new)


def test_a_walk_over_new_ids_by_time_is_short(play: Play) -> None:
    pipeline = play(shop())
    now = 1_700_000_000.0
    taken = {uuid7(now + n, n): now + n for n in range(1, 200)}
    walk(pipeline, taken, before=now)
    task, database = InboxWindow("g", 0.0), Database(pipeline.engine)
    assert [task.step(database, now) for _ in range(2)] == [True, False]


def test_another_worker_does_not_wait(pipeline_postgres: str) -> None:
    """What one deletes at the moment, the other leaves. SQLite has but one writer."""
    pipeline = Pipeline(pipeline_postgres, shop())
    with pipeline.engine.begin() as db:
        db.execute(
            insert(inbox),
            [{"group_name": "g", "source": "web", "event_id": f"{n}", "taken_at": 0.0} for n in range(2)],
        )
    with pipeline.engine.connect() as held:
        held.execute(select(inbox).where(inbox.c.event_id == "0").with_for_update())
        assert not InboxWindow("g", 0.0).step(Database(pipeline.engine), 1.0)
        assert ids(pipeline, "g") == ["0"]
    pipeline.close()


remembering = Catalogue()


class Seen(Signal, name="seen", subject="s", remember=timedelta(days=1), catalogue=remembering):
    s: str
    n: int = 0


class Kept(Signal, name="kept", subject="s", remember=None, catalogue=remembering):
    s: str
    n: int = 0


class Asked(Signal, name="asked", requires={Seen: "s"}, catalogue=remembering):
    s: str
    n: int = 0


def remember() -> Handlers:
    on = Handlers("memory")

    @on(Seen)
    def see(event: Seen, db: Connection) -> None:
        if event.n < 0:
            raise NotReady(Kept, "never")
        note(db, "see", event.n)

    @on(Kept)
    def keep(event: Kept, db: Connection) -> None:
        note(db, "keep", event.n)

    @on(Asked)
    def ask(event: Asked, db: Connection) -> None:
        note(db, "ask", event.n)

    return on


def test_a_prerequisite_is_remembered_for_as_long_as_its_signal_says(play: Play) -> None:
    pipeline = play(remember(), signals=remembering)
    pipeline.handle(*(Seen(s=f"s{n}") for n in range(10)), *(Kept(s=f"k{n}") for n in range(10)))
    pipeline.later(DAY)
    sweeps(pipeline)
    assert len(prerequisites(pipeline)) == 20
    pipeline.handle(Asked(s="s1", n=1))
    assert pipeline.effects("ask") == [1]
    pipeline.later(SEEN_FOR)
    sweeps(pipeline)
    assert prerequisites(pipeline) == [f"k{n}" for n in range(10)]
    pipeline.later(10_000 * DAY)
    assert len(prerequisites(pipeline)) == 10


def test_a_prerequisite_that_is_completed_again_and_again_is_not_forgotten(play: Play) -> None:
    """Though the worker has it in its memory."""
    pipeline = play(remember(), signals=remembering)
    for n in range(30):
        pipeline.handle(Seen(s="often", n=n))
        pipeline.later(DAY / 10)
        sweeps(pipeline, 2)
        assert prerequisites(pipeline) == ["often"]
    pipeline.handle(Asked(s="often", n=1))
    assert pipeline.effects("ask") == [1]


def test_a_prerequisite_that_is_forgotten_is_met_anew(play: Play) -> None:
    """By the very worker that has had it in its memory."""
    pipeline = play(remember(), signals=remembering)
    pipeline.handle(Seen(s="s1"))
    pipeline.later(DAY + SEEN_FOR + 1)
    sweeps(pipeline)
    assert prerequisites(pipeline) == []
    pipeline.handle(Seen(s="s1", n=1))
    pipeline.handle(Asked(s="s1", n=1))
    assert pipeline.effects("ask") == [1]


def test_a_prerequisite_that_somebody_waits_for_stays(play: Play) -> None:
    pipeline = play(remember(), signals=remembering, max_age=1_000 * DAY)
    pipeline.handle(Asked(s="waited"), Seen(s="s", n=-1))
    with pipeline.engine.begin() as db:
        row = {"app": "memory", "signal": "seen", "met_at": None, "seen_at": 0.0}
        db.execute(insert(prerequisite), [{**row, "subject": "unmet"}])
        db.execute(insert(prerequisite), [{**row, "signal": "kept", "subject": "unmet"}])
        db.execute(update(prerequisite).values(seen_at=0.0))
    pipeline.later(50 * DAY)
    sweeps(pipeline)
    assert prerequisites(pipeline) == ["never", "waited"]
    pipeline.handle(Seen(s="waited"))
    assert pipeline.effects("ask") == [0]


def test_dead_letters_are_kept_unless_a_time_is_set(play: Play) -> None:
    pipeline = play(shop({1}))
    pipeline.handle(Opened(n=1))
    pipeline.later(10_000 * DAY)
    sweeps(pipeline)
    assert len(pipeline.dead()) == 1


def test_dead_letters_are_discarded_as_an_operator_would(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    """The prerequisite that only they stood in the way of is met, and it is said."""
    caplog.set_level("INFO", "oyez.retention")
    pipeline = play(shop({1, 2, 3, 4, 5}), dead_days=7, max_age=100 * DAY)
    pipeline.handle(*(Opened(k=f"k{n}", s=f"s{n}", n=n) for n in range(1, 6)), Viewed(s="s1", n=9))
    pipeline.later(6 * DAY)
    sweeps(pipeline)
    assert len(pipeline.dead()) == 5
    pipeline.later(DAY)
    sweeps(pipeline)
    assert pipeline.is_clean()
    assert pipeline.effects("view") == [9]
    said = [record.getMessage() for record in caplog.records if record.name == "oyez.retention"]
    assert sum(int(line.split()[1]) for line in said) == 5
    assert sum("released 1 deliveries" in line for line in said) == 1


def test_nothing_is_read_again_for_a_minute_after_the_end(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(InboxWindow, "step", lambda _self, _database, now: bool(asked.append(now)))
    pipeline = play(shop())
    for _ in range(25):
        pipeline.later(4.9)
    for first, second in zip(asked[::3], asked[3::3], strict=False):
        assert second - first >= 60.0
    assert len(asked) == 9
