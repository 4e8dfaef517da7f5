"""One bounded pass: no event too many, the retry table first, then the log, and nothing lost by stopping there."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from consumers.pipeline import TOPIC, Opened, Pipeline, Placed, Play, Ticked, Viewed, known, note, placed
from consumers.run.bounded_passes import Listen, shop
from consumers.upkeep.deploys import stopped
from oyez.consumers import Handlers, ListenSettings, NotReady
from oyez.consumers.database.tables import parked
from oyez.consumers.partitions.held import ACQUISITIONS
from oyez.consumers.run.bounded_pass import one_pass
from oyez.consumers.run.listened import Listened
from oyez.producers import Announcer, MemoryTransport


def test_it_ends_at_its_limit_and_the_next_goes_on(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*placed(range(25)))
    assert listen(pipeline, 10) == Listened(10, 15, 0)
    assert pipeline.effects() == list(range(10))
    assert [listen(pipeline, 10), listen(pipeline, 10), listen(pipeline, 10)] == [
        Listened(10, 5, 0),
        Listened(5, 0, 0),
        Listened(0, 0, 0),
    ]
    assert pipeline.effects() == list(range(25))


def test_a_limit_of_more_than_a_batch(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*placed(range(25)))
    assert listen(pipeline, 17, batch=5) == Listened(17, 8, 0)
    assert pipeline.effects() == list(range(17))


def test_what_is_due_comes_first(play: Play, listen: Listen) -> None:
    broken = {0, 1, 2}
    pipeline = stopped(play(shop(broken)))
    pipeline.announce(*placed(range(3)))
    assert listen(pipeline, 10) == Listened(0, 0, 3)
    pipeline.announce(*placed(range(3, 6)))
    broken.clear()
    make_due(pipeline)
    assert listen(pipeline, 2) == Listened(2, 3, 1)
    assert sorted(pipeline.effects()) == [0, 1]
    assert listen(pipeline, 2) == Listened(2, 2, 0)
    assert pipeline.effects()[2:] == [2, 3]


def make_due(pipeline: Pipeline) -> None:
    with pipeline.engine.begin() as db:
        db.execute(parked.update().where(parked.c.due_at.is_not(None)).values(due_at=1.0))


def test_what_has_to_wait_counts_for_the_limit_and_remains(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(visits()))
    pipeline.announce(*(Viewed(k=f"k{n}", s="s1", n=n) for n in range(4)))
    assert listen(pipeline, 3) == Listened(0, 1, 3)
    assert listen(pipeline, 3) == Listened(0, 0, 4)
    assert pipeline.effects() == []


def visits() -> Handlers:
    on = Handlers("shop")
    on(Opened, name="open_", group="visits")(lambda event, db=None: None)

    @on(Viewed, group="visits")
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


def test_what_is_released_meanwhile_is_run_in_the_same_pass(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(visits()))
    pipeline.announce(Viewed(k="a", n=1))
    assert listen(pipeline, 10) == Listened(0, 0, 1)
    pipeline.announce(Opened(k="b"))
    assert listen(pipeline, 10) == Listened(2, 0, 0)
    assert pipeline.effects() == [1]


def test_not_more_than_the_limit_when_something_is_released(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(visits()))
    pipeline.announce(*(Viewed(k=f"k{n}", n=n) for n in range(5)))
    listen(pipeline, 10)
    pipeline.announce(Opened(k="b"))
    assert listen(pipeline, 4) == Listened(4, 0, 2)
    assert listen(pipeline, 4) == Listened(2, 0, 0)
    assert pipeline.effects() == list(range(5))


def test_deliveries_of_one_event_count_once_in_a_group_and_once_for_each_group(
    play: Play, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    failing = {True}
    on = shop()

    for name in ("second", "third"):

        @on(Placed, name=name)
        def handle(event: Placed, db: Connection, name: str = name) -> None:
            if failing:
                raise NotReady
            note(db, name, event.n)

    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(4)))
    assert listen(pipeline, 3) == Listened(3, 1, 3)
    assert "failed" not in caplog.text  # to ask for another attempt is no failure
    failing.clear()
    make_due(pipeline)
    # Six deliveries are due, of three events.
    assert listen(pipeline, 6) == Listened(4, 0, 0)
    assert pipeline.effects("third") == [0, 1, 2, 3]


def test_groups_delivery_a_limit(play: Play, listen: Listen) -> None:
    """One that has much to do does not take it all."""
    on = shop()

    @on(Ticked)
    def tick(event: Ticked, db: Connection) -> None:
        note(db, "tick", event.n)

    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(40)))
    pipeline.logs["shop.ticked"].topics = ("ticks",)
    with Announcer(MemoryTransport(pipeline.broker), source="web", topic="ticks", catalogue=known) as ticking:
        for n in range(40):
            ticking.announce(Ticked(n=n))
    assert listen(pipeline, 20).handled == 20
    assert len(pipeline.effects("place")) == len(pipeline.effects("tick")) == 10
    assert listen(pipeline, 100) == Listened(60, 0, 0)
    assert pipeline.effects("place") == pipeline.effects("tick") == list(range(40))


def test_only_the_groups_asked_for(play: Play, listen: Listen) -> None:
    on = shop()
    on(Ticked, name="tick")(lambda event: None)
    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(3)), Ticked())
    assert listen(pipeline, 10, "ticked") == Listened(1, 0, 0)
    assert pipeline.effects() == []


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
    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(8)))
    assert listen(pipeline, 5) == Listened(4, 3, 1)
    assert set(ran) == {0, 1, 2, 3}
    assert listen(pipeline, 5) == Listened(3, 0, 1)
    assert set(ran) == {0, 1, 2, 3, 5, 6, 7}


def test_handlers_that_are_broken_lose_nothing_and_hold_up_no_other_group(play: Play, listen: Listen) -> None:
    broken = set(range(100))
    on = shop(broken)

    @on(Ticked)
    def tick(event: Ticked, db: Connection) -> None:
        note(db, "tick", event.n)

    pipeline = stopped(play(on))
    pipeline.announce(*placed(range(100)))
    pipeline.announce(*(Ticked(n=n) for n in range(3)))
    done = listen(pipeline, 300)
    assert (done.handled, done.parked) == (3, 0)
    for _ in range(ACQUISITIONS + 1):
        assert "shop.placed" in listen(pipeline, 300).broken
        assert pipeline.rows("position", "acquisitions") == [0, 0], "nobody has died"
    assert pipeline.is_clean()
    assert "100 of 100 deliveries failed alike" in done.broken["shop.placed"]
    assert pipeline.effects("tick") == [0, 1, 2]
    broken.clear()
    assert listen(pipeline, 300).handled == 100
    assert pipeline.effects("place") == list(range(100))


def test_it_stops_when_it_is_told_to(play: Play, pipeline_database: str) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*placed(range(9)))
    settings = ListenSettings(database=pipeline_database, topic=TOPIC, batch=3)
    group = pipeline.application.groups["shop.placed"]
    done = one_pass(
        [group],
        settings,
        9,
        lambda: len(pipeline.effects()) >= 3,
        lambda *_: pipeline.logs[group.name].join(),
    )
    assert done.handled == 3
    assert pipeline.effects() == [0, 1, 2]


def test_a_limit_of_nothing_is_refused(play: Play, listen: Listen) -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        listen(play(shop()), 0)


def test_records_of_other_groups_are_passed_over(play: Play, listen: Listen) -> None:
    pipeline = stopped(play(shop()))
    pipeline.announce(*(Ticked() for _ in range(30)), *placed(range(2)), *(Ticked() for _ in range(5)))
    assert listen(pipeline, 2) == Listened(2, 5, 0)
    assert listen(pipeline, 2) == Listened(0, 0, 0)
    assert known["ticked"].name not in pipeline.application.groups


def test_the_group_that_has_most_to_do_goes_first(play: Play, listen: Listen) -> None:
    """With a limit below the number of groups, the others would otherwise never be read."""
    on = shop()
    on(Ticked, name="tick", group="other")(lambda event: None)
    pipeline = stopped(play(on))
    pipeline.broker.append("more", b"k", b"{}")
    pipeline.logs["shop.other"].topics = (TOPIC, "more")
    pipeline.announce(Ticked(), *placed(range(1)))
    assert listen(pipeline, 1).handled == 1
    assert pipeline.effects() == []
    assert listen(pipeline, 1).handled == 1
    assert pipeline.effects() == [0]
