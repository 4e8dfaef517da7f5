"""One bounded pass: no event too many, the retry table first, then the log, and nothing lost by stopping there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from consumers.deploys import stopped
from consumers.stage import TOPIC, Opened, Placed, Play, Stage, Ticked, Viewed, known, note, placed
from oyez.consumers import Handlers, ListenSettings, NotReady
from oyez.consumers.assembly import make_worker
from oyez.consumers.bounded import Listened
from oyez.consumers.database import DatabaseAway
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.tables import parked
from oyez.consumers.logs.memory import MemoryLog
from oyez.consumers.passing import Pass, one_pass
from oyez.consumers.patience import Once
from oyez.consumers.reading import Record
from oyez.producers import Announcer, MemoryTransport

Listen = Callable[..., Listened]


@pytest.fixture
def listen(play: Play, stage_database: str) -> Listen:
    """One pass over the groups of a stage, whose own workers have left."""

    def run(stage: Stage, limit: int, *groups: str, **said: object) -> Listened:
        settings = ListenSettings(**({"database": stage_database, "topic": TOPIC} | said))
        names = groups or tuple(stage.application.groups)
        chosen = [stage.application.group(name) for name in names]
        return one_pass(chosen, settings, limit, log_for=lambda group, _s, _e: stage.logs[group.name].join())

    return run


def shop(broken: set[int] | None = None) -> Handlers:
    """`place` fails for the numbers that are broken."""
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        if event.n in (broken or set()):
            raise ValueError("as told")
        note(db, "place", event.n)

    return on


def test_it_ends_at_its_limit_and_the_next_goes_on(play: Play, listen: Listen) -> None:
    stage = stopped(play(shop()))
    stage.announce(*placed(range(25)))
    assert listen(stage, 10) == Listened(10, 15, 0)
    assert stage.effects() == list(range(10))
    assert [listen(stage, 10), listen(stage, 10), listen(stage, 10)] == [
        Listened(10, 5, 0),
        Listened(5, 0, 0),
        Listened(0, 0, 0),
    ]
    assert stage.effects() == list(range(25))


def test_a_limit_of_more_than_a_batch(play: Play, listen: Listen) -> None:
    stage = stopped(play(shop()))
    stage.announce(*placed(range(25)))
    assert listen(stage, 17, batch=5) == Listened(17, 8, 0)
    assert stage.effects() == list(range(17))


def test_what_is_due_comes_first(play: Play, listen: Listen) -> None:
    broken = {0, 1, 2}
    stage = stopped(play(shop(broken)))
    stage.announce(*placed(range(3)))
    assert listen(stage, 10) == Listened(0, 0, 3)
    stage.announce(*placed(range(3, 6)))
    broken.clear()
    make_due(stage)
    assert listen(stage, 2) == Listened(2, 3, 1)
    assert sorted(stage.effects()) == [0, 1]
    assert listen(stage, 2) == Listened(2, 2, 0)
    assert stage.effects()[2:] == [2, 3]


def make_due(stage: Stage) -> None:
    with stage.engine.begin() as db:
        db.execute(parked.update().where(parked.c.due_at.is_not(None)).values(due_at=1.0))


def test_what_has_to_wait_counts_for_the_limit_and_remains(play: Play, listen: Listen) -> None:
    stage = stopped(play(visits()))
    stage.announce(*(Viewed(k=f"k{n}", s="s1", n=n) for n in range(4)))
    assert listen(stage, 3) == Listened(0, 1, 3)
    assert listen(stage, 3) == Listened(0, 0, 4)
    assert stage.effects() == []


def visits() -> Handlers:
    on = Handlers("shop")
    on(Opened, name="open_", group="visits")(lambda event, db=None: None)

    @on(Viewed, group="visits")
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


def test_what_is_released_meanwhile_is_run_in_the_same_pass(play: Play, listen: Listen) -> None:
    stage = stopped(play(visits()))
    stage.announce(Viewed(k="a", n=1))
    assert listen(stage, 10) == Listened(0, 0, 1)
    stage.announce(Opened(k="b"))
    assert listen(stage, 10) == Listened(2, 0, 0)
    assert stage.effects() == [1]


def test_not_more_than_the_limit_when_something_is_released(play: Play, listen: Listen) -> None:
    stage = stopped(play(visits()))
    stage.announce(*(Viewed(k=f"k{n}", n=n) for n in range(5)))
    listen(stage, 10)
    stage.announce(Opened(k="b"))
    assert listen(stage, 4) == Listened(4, 0, 2)
    assert listen(stage, 4) == Listened(2, 0, 0)
    assert stage.effects() == list(range(5))


def test_shares_of_one_event_count_once_in_a_group_and_once_for_each_group(
    play: Play, listen: Listen
) -> None:
    failing = {True}
    on = shop()

    for name in ("second", "third"):

        @on(Placed, name=name)
        def handle(event: Placed, db: Connection, name: str = name) -> None:
            if failing:
                raise NotReady
            note(db, name, event.n)

    stage = stopped(play(on))
    stage.announce(*placed(range(4)))
    assert listen(stage, 3) == Listened(3, 1, 3)
    failing.clear()
    make_due(stage)
    # Six shares are due, of three events.
    assert listen(stage, 6) == Listened(4, 0, 0)
    assert stage.effects("third") == [0, 1, 2, 3]


def test_groups_share_a_limit(play: Play, listen: Listen) -> None:
    """One that has much to do does not take it all."""
    on = shop()

    @on(Ticked)
    def tick(event: Ticked, db: Connection) -> None:
        note(db, "tick", event.n)

    stage = stopped(play(on))
    stage.announce(*placed(range(40)))
    stage.logs["shop.ticked"].topics = ("ticks",)
    with Announcer(MemoryTransport(stage.broker), source="web", topic="ticks", catalogue=known) as ticking:
        for n in range(40):
            ticking.announce(Ticked(n=n))
    assert listen(stage, 20).handled == 20
    assert len(stage.effects("place")) == len(stage.effects("tick")) == 10
    assert listen(stage, 100) == Listened(60, 0, 0)
    assert stage.effects("place") == stage.effects("tick") == list(range(40))


def test_only_the_groups_asked_for(play: Play, listen: Listen) -> None:
    on = shop()
    on(Ticked, name="tick")(lambda event: None)
    stage = stopped(play(on))
    stage.announce(*placed(range(3)), Ticked())
    assert listen(stage, 10, "ticked") == Listened(1, 0, 0)
    assert stage.effects() == []


@pytest.mark.parametrize("in_database", [False, True])
def test_an_at_least_once_group(play: Play, listen: Listen, in_database: bool) -> None:
    ran: list[int] = []
    on = Handlers("shop", promises={"placed": "at-least-once"})

    def place(event: Placed) -> None:
        if event.n == 4:
            raise ValueError("as told")
        ran.append(event.n)

    def place_in(event: Placed, db: Connection) -> None:
        place(event)

    on(Placed, name="place", order="none")(place_in if in_database else place)
    stage = stopped(play(on))
    stage.announce(*placed(range(8)))
    assert listen(stage, 5) == Listened(4, 3, 1)
    assert set(ran) == {0, 1, 2, 3}
    assert listen(stage, 5) == Listened(3, 0, 1)
    assert set(ran) == {0, 1, 2, 3, 5, 6, 7}


def test_handlers_that_are_broken_lose_nothing_and_hold_up_no_other_group(play: Play, listen: Listen) -> None:
    broken = set(range(100))
    on = shop(broken)

    @on(Ticked)
    def tick(event: Ticked, db: Connection) -> None:
        note(db, "tick", event.n)

    stage = stopped(play(on))
    stage.announce(*placed(range(100)))
    stage.announce(*(Ticked(n=n) for n in range(3)))
    done = listen(stage, 300)
    assert (done.handled, done.parked) == (3, 0)
    assert "100 of 100 shares failed alike" in done.broken["shop.placed"]
    assert stage.effects("tick") == [0, 1, 2]
    broken.clear()
    assert listen(stage, 300).handled == 100
    assert stage.effects("place") == list(range(100))


def test_it_stops_when_it_is_told_to(play: Play, stage_database: str) -> None:
    stage = stopped(play(shop()))
    stage.announce(*placed(range(9)))
    settings = ListenSettings(database=stage_database, topic=TOPIC, batch=3)
    group = stage.application.groups["shop.placed"]
    done = one_pass(
        [group], settings, 9, lambda: len(stage.effects()) >= 3, lambda *_: stage.logs[group.name].join()
    )
    assert done.handled == 3
    assert stage.effects() == [0, 1, 2]


def test_a_limit_of_nothing_is_refused(play: Play, listen: Listen) -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        listen(play(shop()), 0)


def test_records_of_other_groups_are_passed_over(play: Play, listen: Listen) -> None:
    stage = stopped(play(shop()))
    stage.announce(*(Ticked() for _ in range(30)), *placed(range(2)), *(Ticked() for _ in range(5)))
    assert listen(stage, 2) == Listened(2, 5, 0)
    assert listen(stage, 2) == Listened(0, 0, 0)
    assert known["ticked"].name not in stage.application.groups


def test_the_group_that_has_most_to_do_goes_first(play: Play, listen: Listen) -> None:
    """With a limit below the number of groups, the others would otherwise never be read."""
    on = shop()
    on(Ticked, name="tick", group="other")(lambda event: None)
    stage = stopped(play(on))
    stage.broker.append("more", b"k", b"{}")
    stage.logs["shop.other"].topics = (TOPIC, "more")
    stage.announce(Ticked(), *placed(range(1)))
    assert listen(stage, 1).handled == 1
    assert stage.effects() == []
    assert listen(stage, 1).handled == 1
    assert stage.effects() == [0]


class Odd(MemoryLog):
    """A log that says what it is told to say; each of its polls takes a second."""

    def __init__(self, stage: Stage, *, settled: bool, more: int) -> None:
        (group,) = stage.logs.values()
        super().__init__(group)
        group.members.append(self)
        self._clock = stage.clock
        self._says_settled = settled
        self._more = more

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        self._clock.now += 1.0
        return super().poll(limit, wait)

    def idle(self) -> None:
        self._clock.now += 1.0

    def is_settled(self) -> bool:
        return self._says_settled and super().is_settled()

    def lags(self) -> dict[Partition, int]:
        return {partition: lag + self._more for partition, lag in super().lags().items()}


def odd_pass(stage: Stage, limit: int, **said: Any) -> tuple[Pass, float]:
    """A pass over an odd log, and how long it took."""
    stopped(stage)
    (group,) = stage.application.groups.values()
    settings = ListenSettings(topic=TOPIC)
    worker = make_worker(
        group, settings, engine=stage.engine, source=Odd(stage, **said), clock=stage.clock, patience=Once
    )
    bounded, begun = Pass([worker], limit, timer=stage.clock, sleep=stage.clock.sleep), stage.clock()
    bounded.run()
    worker.leave()
    return bounded, stage.clock() - begun


def test_a_log_that_says_there_is_more_and_gives_nothing_is_at_its_end(play: Play) -> None:
    """In Kafka, transactions leave marks that count as records."""
    stage = play(shop())
    stage.announce(*placed(range(3)))
    bounded, seconds = odd_pass(stage, 10, settled=True, more=1)
    assert bounded.handled == 3
    assert seconds < 15.0


@pytest.mark.parametrize("limit", [10, 1])
def test_a_log_that_never_says_what_there_is_does_not_hold_the_pass_up(
    play: Play, limit: int, caplog: pytest.LogCaptureFixture
) -> None:
    stage = play(shop())
    stage.announce(*placed(range(3)))
    bounded, seconds = odd_pass(stage, limit, settled=False, more=0)
    assert bounded.handled == min(limit, 3)
    assert seconds < 25.0
    assert "shop.placed: the log did not say" in caplog.text


def test_a_database_that_is_away_ends_it_at_once(
    play: Play, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stopped(play(shop()))
    stage.announce(*placed(range(3)))
    calls: list[int] = []

    def handle(*_given: object) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise AssertionError("it tried again")
        raise DatabaseAway("as told")

    with monkeypatch.context() as patched:
        patched.setattr("oyez.consumers.execution.Execution.handle", handle)
        with pytest.raises(DatabaseAway):
            listen(stage, 10)
    assert listen(stage, 10) == Listened(3, 0, 0)
