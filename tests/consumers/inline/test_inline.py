"""The inline transport: the handlers run where the event is announced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Closed, Inline, Make, Replied, Seen, doing, names
from consumers.pipeline import Opened, Pipeline, Placed, Ticked, Viewed, effects, note
from oyez.consumers import Handlers, NotReady, Reject


def shop(outside: list[int] | None = None) -> Handlers:
    """Three groups that handle the same signal, and one that handles another."""
    on = Handlers("shop", promises={"loose": "at-least-once"})
    doing(on, Placed, "one")
    doing(on, Placed, "two", group="others")
    doing(on, Placed, "three", group="loose")
    doing(on, Ticked)

    @on(Placed, group="others")
    def last(event: Placed) -> None:
        if outside is not None:
            outside.append(event.n)

    return on


def test_the_handlers_have_run_when_announce_returns(inline: Make) -> None:
    outside: list[int] = []
    pipeline = inline(shop(outside))
    commits: list[int] = []
    listen(pipeline.engine, "commit", lambda _db: commits.append(1))
    event_id = pipeline.announcer.announce(Placed(n=7))
    assert len(commits) == 1
    assert sorted(names(pipeline)) == ["one", "three", "two"]
    assert pipeline.effects() == [7, 7, 7]
    assert outside == [7]
    assert pipeline.is_clean()
    assert sorted(pipeline.rows("inbox", "group_name", "source", "event_id")) == [
        ("shop.others", "web", event_id),
        ("shop.placed", "web", event_id),
    ]
    assert pipeline.announcer.announced == 1


def test_by_name_with_a_key(inline: Make) -> None:
    pipeline = inline(shop())
    pipeline.announcer.announce("placed", {"n": 3}, key="k9")
    assert pipeline.effects() == [3, 3, 3]


def test_what_nobody_handles(inline: Make) -> None:
    pipeline = inline(shop())
    assert pipeline.announcer.announce(Opened())
    assert pipeline.effects() == []
    assert pipeline.rows("inbox") == []


def test_what_fails_parks_and_announce_returns(inline: Make) -> None:
    bad = True
    on = shop()

    @on(Placed)
    def failing(event: Placed, db: Session) -> None:
        note(db, "failing", event.n)
        if bad:
            raise ValueError("bad")

    @on(Placed)
    def rejecting(event: Placed) -> None:
        raise Reject("never")

    pipeline = inline(on)
    assert pipeline.announcer.announce(Placed(n=1))
    assert pipeline.announcer.announce(Placed(n=2))
    assert [(name, n, error) for name, n, error in pipeline.parked() if name == "failing"] == [
        ("failing", 1, "ValueError: bad"),
        ("failing", 2, ""),
    ]
    assert [(name, n) for name, n, _ in pipeline.dead()] == [("rejecting", 1), ("rejecting", 2)]
    assert pipeline.effects("one") == pipeline.effects("two") == pipeline.effects("three") == [1, 2]
    assert pipeline.effects("failing") == []
    bad = False
    pipeline.sweep()
    assert pipeline.effects("failing") == [1, 2]
    assert pipeline.parked() == []


@pytest.mark.parametrize("group", [None, "visits"])
def test_a_chain_of_three_the_wrong_way_round(group: str | None, inline: Make) -> None:
    on = Handlers("shop")
    for signal in (Opened, Seen, Closed):
        doing(on, signal, group=group)
    pipeline = inline(on)
    for event in (Closed(n=3), Seen(n=2), Seen(s="s2", n=4)):
        pipeline.announcer.announce(event)
        assert pipeline.effects() == []
    pipeline.announcer.announce(Opened(n=1))
    assert names(pipeline) == ["opened", "seen", "closed"]
    assert [(name, n) for name, n, _ in pipeline.parked()] == [("seen", 4)]
    pipeline.announcer.announce(Opened(s="s2", n=5))
    assert pipeline.effects() == [1, 2, 3, 5, 4]
    assert pipeline.is_clean()


def test_a_long_chain_of_one_signal(inline: Make) -> None:
    on = Handlers("shop")
    doing(on, Replied, order="none")
    pipeline = inline(on)
    for n in range(20, 0, -1):
        pipeline.announcer.announce(Replied(s=f"r{n}", parent=f"r{n - 1}", n=n))
    assert pipeline.effects() == []
    pipeline.announcer.announce(Replied(s="r0"))
    assert pipeline.effects() == list(range(21))
    assert pipeline.is_clean()


def test_what_another_process_has_met_is_met(inline: Make) -> None:
    on = Handlers("shop")
    doing(on, Opened)
    doing(on, Viewed)
    inline(on).announcer.announce(Opened())
    pipeline = inline(on)
    commits: list[int] = []
    listen(pipeline.engine, "commit", lambda _db: commits.append(1))
    pipeline.announcer.announce(Viewed(n=1))
    assert pipeline.effects("viewed") == [1]
    assert pipeline.is_clean()
    assert len(commits) == 1


def test_what_is_met_within_the_handler_waits_no_longer(inline: Make) -> None:
    """A handler that asks for a prerequisite that is met already: another attempt, later."""
    satisfied = False
    on = Handlers("shop")
    doing(on, Opened)

    @on(Placed)
    def asking(event: Placed, db: Session) -> None:
        if not satisfied:
            raise NotReady(Opened, "s1")
        note(db, "asking", event.n)

    pipeline = inline(on)
    pipeline.announcer.announce(Placed(n=1))
    pipeline.announcer.announce(Opened())
    assert [error for _, _, error in pipeline.parked()] == ["NotReady: opened 's1' is met already"]
    assert pipeline.rows("parked", "attempts") == [1]
    satisfied = True
    pipeline.sweep()
    assert pipeline.effects("asking") == [1]


def test_the_same_tables_as_over_a_log(pipeline_database: str, tmp_path: Path) -> None:
    """The same events, the same handlers: the same effects, parked and dead deliveries."""
    bad = {("one", 3), ("opened", 5)}

    def handlers() -> Handlers:
        on = Handlers("shop")
        for signal in (Opened, Viewed, Placed):
            name = signal.__name__.lower()

            def handle(event: Any, db: Session, name: str = name) -> None:
                note(db, name, event.n)
                if (name, event.n) in bad or event.n == 8:
                    raise Reject("no") if event.n == 8 else ValueError("bad")

            on(signal, name=name, group="all")(handle)
        return on

    events = [
        Viewed(k="a", s="s1", n=1),
        Placed(k="a", n=2),
        Placed(k="b", n=3),
        Opened(k="a", s="s1", n=4),
        Opened(k="b", s="s2", n=5),
        Viewed(k="b", s="s2", n=6),
        Viewed(k="a", s="s1", n=7),
        Placed(k="c", n=8),
        Placed(k="c", n=9),
    ]

    def found(pipeline: Pipeline) -> Any:
        with pipeline.engine.connect() as db:
            done = sorted((r.handler, r.n) for r in db.execute(effects.select()))
        met = [(s, subject, at is not None) for _, s, subject, at, _ in pipeline.rows("prerequisite")]
        waits = pipeline.rows("parked", "wait_signal", "wait_subject")
        return (
            done,
            sorted(pipeline.parked()),
            sorted(pipeline.dead()),
            met,
            waits,
            len(pipeline.rows("inbox")),
        )

    over_a_log = Pipeline(pipeline_database, handlers())
    for event in events:
        over_a_log.handle(event)
    expected = found(over_a_log)
    over_a_log.close()
    with over_a_log.engine.begin() as db:
        for table in (
            "effect",
            "oyez_parked",
            "oyez_dead",
            "oyez_inbox",
            "oyez_prerequisite",
            "oyez_position",
        ):
            db.execute(text(f"DELETE FROM {table}"))
    announced = Inline(pipeline_database, handlers())
    for event in events:
        announced.announcer.announce(event)
    assert found(announced) == expected
    announced.close()
