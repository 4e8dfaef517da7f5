"""The timeline of a key: what is known of it from all tables, in the order of time."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Connection, insert, select, update

from consumers.mail.mail_queue import rows_of
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.database.tables import dead, mail, outbox, parked, scheduled
from oyez.consumers.reports import Moment, Timeline, Window, timeline_of


def told(pipeline: Pipeline, key: str = "k1", **window: float) -> Timeline:
    with pipeline.engine.connect() as db:
        return timeline_of(db, pipeline.application, key, Window(**window))  # type: ignore[arg-type] # a limit


def of(found: Timeline, handler: str | None) -> list[Moment]:
    return [one for one in found.moments if one.handler == handler]


def shop(broken: set[int]) -> Handlers:
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")
        if event.n == 9:
            raise Reject("never")

    return on


def lived_through(play: Play, **said: object) -> Pipeline:
    """A view waits a minute for its session, fails once, and is done; another one waits behind it, and dies."""
    broken = {1}
    pipeline = play(shop(broken), **said)
    pipeline.handle(Viewed(n=1), Viewed(n=9), Opened(k="other", s="other"))
    pipeline.clock.now += 60
    pipeline.handle(Opened())
    broken.clear()
    pipeline.later(10.0)
    return pipeline


def test_a_session_from_its_first_event_to_its_last(play: Play) -> None:
    found = told(lived_through(play, journal="all"))
    assert [one.what for one in of(found, "view")] == ["waiting", "behind", "retried", "done", "dead"]
    waiting, behind, retried, done, dead = of(found, "view")
    assert (waiting.wait_signal, waiting.wait_subject) == ("opened", "s1")
    assert waiting.lasted == pytest.approx(60, abs=2)
    (opened,) = of(found, "open_")
    assert waiting.released_by == opened.event_id
    assert waiting.met_at == opened.at
    assert behind.event_id == dead.event_id != waiting.event_id == retried.event_id == done.event_id
    assert retried.error is not None
    assert retried.error.startswith("ValueError: not yet")
    assert retried.due_at is not None
    assert retried.due_at > retried.at
    assert done.attempts == 2
    assert done.seconds is not None
    assert (dead.reason, dead.error) == ("rejected by its handler", "never")
    assert [one.event_id for one in found.moments if one.what == "met"] == [opened.event_id]
    assert sum(one.what == "announced" for one in found.moments) == 3
    assert sum(one.what == "arrived" for one in found.moments) == 3
    assert not any(one.is_now for one in found.moments if one.what != "dead")
    assert [one.at for one in found.moments] == sorted(one.at for one in found.moments)


def test_without_a_journal_it_is_what_the_tables_have(play: Play) -> None:
    pipeline = play(shop({1}), journal="off")
    pipeline.handle(Viewed(n=1), Viewed(n=2))
    waiting, behind = of(told(pipeline), "view")
    assert (waiting.what, waiting.is_now, waiting.lasted) == ("waiting", True, None)
    assert (behind.what, behind.is_now) == ("behind", True)
    pipeline.handle(Opened())
    due, _ = of(told(pipeline), "view")
    assert (due.what, due.is_now, due.attempts) == ("due", True, 1)
    assert sum(one.what == "announced" for one in told(pipeline).moments) == 2


def test_what_waits_still_is_said_once(play: Play) -> None:
    pipeline = play(shop({1}), journal="all")
    pipeline.handle(Viewed(n=1))
    (waiting,) = of(told(pipeline), "view")
    assert (waiting.what, waiting.is_now) == ("waiting", True)
    pipeline.handle(Opened())
    waited, retried = of(told(pipeline), "view")
    assert waited.lasted is not None
    assert (retried.what, retried.is_now, retried.attempts) == ("retried", True, 1)


def test_others_are_not_in_it(play: Play) -> None:
    pipeline = lived_through(play, journal="all")
    assert {one.event_id for one in told(pipeline, "other").moments}.isdisjoint(
        one.event_id for one in told(pipeline).moments
    )
    assert told(pipeline, "nobody").moments == []


def test_a_window_and_a_limit(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    pipeline = play(on, journal="all")
    pipeline.handle(*(Placed(n=n) for n in range(20)))
    middle = pipeline.clock.now
    pipeline.later(100.0)
    pipeline.handle(*(Placed(n=n) for n in range(20, 30)))
    late = told(pipeline, since=middle + 50)
    assert len(of(late, "place")) == 10
    assert not late.is_cut
    assert len(of(told(pipeline, before=middle + 50), "place")) == 20
    few = told(pipeline, limit=5)
    assert few.is_cut
    assert len(few.moments) == 5
    assert {one.at for one in few.moments} <= {one.at for one in late.moments} | {
        one.at for one in few.moments if one.what == "announced"
    }


def test_its_mails_and_what_has_not_left_yet(play: Play) -> None:
    pipeline = play(shop(set()), journal="all")
    pipeline.handle(Opened(k="k1", s="s1"), Opened(k="k2", s="s2"))
    for source, event_id, key in pipeline.rows("journal", "source", "event_id", "key"):
        (row,) = rows_of([7], pipeline.clock.now, source=source, event_id=event_id, n=0, handler="open_")
        said = {"id": f"late-{key}", "source": "w", "type": "placed", "partitionkey": key}
        with pipeline.engine.begin() as db:
            sent = {"state": "sent", "changed_at": pipeline.clock.now + 30}
            db.execute(insert(mail), [row | (sent if key == "k1" else {})])
            for refused in (None, "too large"):
                event = {"topic": "t", "key": key, "value": json.dumps(said).encode(), "refused": refused}
                db.execute(insert(outbox), [event | {"announced_at": pipeline.clock.now + 60}])
    moments = told(pipeline).moments
    assert [one.mail_state for one in moments if one.what == "mail"] == ["queued", "sent"]
    assert [one.mail_state for one in told(pipeline, "k2").moments if one.what == "mail"] == ["waiting"]
    waiting, refused = (one for one in moments if one.what in ("in the outbox", "refused"))
    assert (waiting.what, waiting.event_id, waiting.is_now) == ("in the outbox", "late-k1", True)
    assert (refused.what, refused.reason) == ("refused", "too large")


@pytest.mark.parametrize("setting", ["off", "all"])
def test_the_end_of_a_dead_letter_is_told_once(play: Play, setting: str) -> None:
    pipeline = play(shop(set()), journal=setting)
    pipeline.handle(Opened(), Viewed(n=9))
    (dead,) = of(told(pipeline), "view")
    assert (dead.what, dead.reason, dead.error) == ("dead", "rejected by its handler", "never")


def schedule(pipeline: Pipeline, *moments: tuple[float, float]) -> None:
    """Events of one key, by when each was scheduled and is due."""
    said = {"topic": "t", "key": "k1", "value": b"{}", "signal": "placed", "source": "w"}
    with pipeline.engine.begin() as db:
        for n, (at, due) in enumerate(moments):
            db.execute(insert(scheduled), said | {"event_id": f"e{n}", "scheduled_at": at, "due_at": due})


def test_of_what_is_scheduled_the_newest_is_told_and_that_there_is_more(play: Play) -> None:
    pipeline = play(shop(set()))
    schedule(pipeline, (1.0, 900.0), (2.0, 800.0), (3.0, 700.0))
    found = told(pipeline, limit=2)
    assert [one.event_id for one in found.moments] == ["e1", "e2"]
    assert found.is_cut
    assert [one.event_id for one in told(pipeline, limit=2, since=2.5).moments] == ["e2"]
    assert not told(pipeline, limit=3).is_cut


def test_an_event_was_announced_when_its_time_says(play: Play) -> None:
    """The id of one that was scheduled is of the moment of scheduling."""
    pipeline = play(shop({1}), journal="off")
    pipeline.handle(Viewed(n=1))
    with pipeline.engine.begin() as db:
        value = json.loads(db.execute(select(parked.c.value)).scalar_one()) | {"time": "2096-10-02T07:06:50Z"}
        db.execute(update(parked).values(value=json.dumps(value).encode()))
    (moment,) = [one for one in told(pipeline).moments if one.what == "announced"]
    assert moment.at.year == 2096


def test_what_of_it_could_not_be_decoded_is_in_it(play: Play) -> None:
    pipeline = play(shop(set()), journal="all")
    pipeline.handle(Viewed(n=1))
    letter = {
        "app": "shop",
        "group_name": "shop.viewed",
        "handler": "",
        "signal": "",
        "source": "",
        "event_id": "t/0/7",
        "key": "k1",
        "ordered": True,
        "attempts": 0,
        "parked_at": pipeline.clock.now,
        "value": b'{"time":"2026-11-30T12:00:00Z"}',
        "error": "data.url: must be text",
        "reason": "undecodable",
        "died_at": pipeline.clock.now,
        "topic": "t",
        "partition": 0,
        "position": 7,
    }
    with pipeline.engine.begin() as db:
        db.execute(insert(dead), letter)
        db.execute(insert(dead), {**letter, "key": "another", "position": 8, "event_id": "t/0/8"})
    (undecodable,) = [one for one in told(pipeline).moments if one.event_id == "t/0/7"]
    assert (undecodable.what, undecodable.reason, undecodable.handler) == ("dead", "undecodable", None)
    assert undecodable.error == "data.url: must be text"
    assert "t/0/8" not in {one.event_id for one in told(pipeline).moments}
