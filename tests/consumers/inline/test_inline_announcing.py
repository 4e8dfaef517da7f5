"""Handlers that announce, with the transport "inline": what they announce is handled before announce() returns."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Inline, Make
from consumers.pipeline import Clock, Known, Opened, Placed, Viewed, note
from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.database.engine import DatabaseAway
from oyez.consumers.database.tables import outbox
from oyez.consumers.inline.transport import InlineTransport
from oyez.producers import TransportRefused


class Shipped(Known, name="shipped.inline", key="k"):
    k: str = "k1"
    n: int = 0


def chain(*, upto: int = 4) -> Handlers:
    """Each event announces the next one."""
    on = Handlers("shop")

    @on(Placed)
    def ship(event: Placed, db: Session, announcer: HandlerAnnouncer) -> None:
        note(db, "ship", event.n)
        announcer.announce(Shipped(k=event.k, n=event.n + 1))

    @on(Shipped)
    def follow(event: Shipped, db: Session, announcer: HandlerAnnouncer) -> None:
        note(db, "follow", event.n)
        if event.n < upto:
            announcer.announce(Shipped(k=event.k, n=event.n + 1))

    return on


def test_it_is_handled_before_announce_returns(inline: Make) -> None:
    pipeline = inline(chain())
    pipeline.announcer.announce(Placed(n=0))
    assert pipeline.effects() == [0, 1, 2, 3, 4]
    assert pipeline.rows("outbox") == []
    assert pipeline.is_clean()


def test_what_a_released_handler_announces_is_handled_too(inline: Make) -> None:
    on = chain()

    @on(Opened)
    def open_it(event: Opened, db: Session) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Shipped(k=event.k, n=100))

    pipeline = inline(on)
    pipeline.announcer.announce(Viewed(s="s1"))
    assert pipeline.effects() == []
    pipeline.announcer.announce(Opened(s="s1", n=1))
    assert (pipeline.effects(), pipeline.rows("outbox")) == ([1, 100], [])


def test_in_the_callers_transaction_it_is_handled_after_the_commit(inline: Make) -> None:
    pipeline = inline(chain())
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=0), db=db)
        db.commit()
    assert (pipeline.effects(), len(pipeline.rows("outbox"))) == ([0], 1)
    pipeline.announcer.flush()
    assert (pipeline.effects(), pipeline.rows("outbox")) == ([0, 1, 2, 3, 4], [])
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=3), db=db)
        db.commit()
    pipeline.announcer.announce(Shipped(n=10))  # its handler announces nothing
    assert pipeline.effects()[5:] == [3, 10, 4]
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=20), db=db)
        db.rollback()
    pipeline.announcer.close()
    assert len(pipeline.effects()) == 8


def test_an_event_announced_before_the_commit_does_not_hide_what_is_left(pipeline_postgres: str) -> None:
    pipeline = Inline(pipeline_postgres, chain())
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=0), db=db)
        pipeline.announcer.announce(Shipped(k="other", n=10))
        db.commit()
    pipeline.announcer.flush()
    assert (pipeline.effects(), pipeline.rows("outbox")) == ([0, 10, 1, 2, 3, 4], [])
    pipeline.close()


def test_a_transaction_of_another_thread_is_not_forgotten(inline: Make) -> None:
    pipeline = inline(chain())
    announced, handled = threading.Event(), threading.Event()

    def announce_in_transaction() -> None:
        with Session(pipeline.engine) as db:
            pipeline.announcer.announce(Placed(n=0), db=db)
            announced.set()
            assert handled.wait(60)
            db.commit()

    thread = threading.Thread(target=announce_in_transaction)
    thread.start()
    assert announced.wait(60)
    pipeline.announcer.flush()
    handled.set()
    thread.join(60)
    pipeline.announcer.announce(Shipped(k="other", n=10))
    assert sorted(pipeline.effects()) == [0, 1, 2, 3, 4, 10]


def test_a_transaction_that_is_rolled_back_hides_no_other(inline: Make) -> None:
    pipeline = inline(chain())
    with Session(pipeline.engine) as db:
        with db.begin_nested():
            pipeline.announcer.announce(Placed(n=3), db=db)
        savepoint = db.begin_nested()
        pipeline.announcer.announce(Placed(n=1), db=db)
        savepoint.rollback()
        pipeline.announcer.flush(0.5)  # on SQLite this transaction is in the way
        db.commit()
    pipeline.announcer.flush()
    assert (pipeline.effects(), pipeline.rows("outbox")) == ([3, 4], [])


def test_what_a_process_before_has_left_is_handled_by_a_flush(inline: Make) -> None:
    pipeline = inline(chain())
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=0), db=db)
        db.commit()
    later = InlineTransport(pipeline.application, pipeline.engine, pipeline.settings, clock=pipeline.clock)
    later.flush(10.0)
    assert (pipeline.effects(), pipeline.rows("outbox")) == ([0, 1, 2, 3, 4], [])


def test_what_had_to_wait_is_handled_by_the_next_event_of_any_kind(inline: Make) -> None:
    pipeline = inline(chain())
    whole: Any = pipeline.transport.handle

    def without_what_follows(key: bytes | None, value: bytes) -> bool:
        if b"shipped" in value:
            raise TransportRefused("the database is away")
        return bool(whole(key, value))

    pipeline.transport.handle = without_what_follows  # type: ignore[method-assign]
    pipeline.announcer.announce(Placed(n=0))
    pipeline.transport.handle = whole  # type: ignore[method-assign]
    pipeline.announcer.announce(Shipped(k="other", n=10))  # its handler announces nothing
    assert sorted(pipeline.effects()) == [0, 1, 2, 3, 4, 10]


def test_what_was_announced_is_handled_though_the_rest_of_what_was_released_has_to_wait(inline: Make) -> None:
    on = chain(upto=0)

    @on(Opened)
    def open_it(event: Opened, db: Session) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Shipped(k=event.k, n=100))

    pipeline = inline(on)
    pipeline.announcer.announce(Viewed(n=1))
    retrying = pipeline.transport._retrying["shop.viewed"]
    whole: Any = retrying._start
    answers = [True]

    def once(db: Any, limit: int) -> Any:
        if not answers:
            raise DatabaseAway("gone for a moment")
        answers.pop()
        return whole(db, limit)

    retrying._start = once  # type: ignore[method-assign]
    pipeline.announcer.announce(Opened(n=2))
    assert (pipeline.effects(), pipeline.rows("outbox")) == ([2, 100], [])


def test_a_chain_without_end_is_left_after_a_while(inline: Make) -> None:
    class Passing(Clock):
        """Each look at it takes 50 ms."""

        def __call__(self) -> float:
            self.now += 0.05
            return self.now

    pipeline = inline(chain(upto=10**9))
    pipeline.transport._timer = Passing()
    pipeline.announcer.announce(Placed(n=0))
    assert 1 < len(pipeline.effects()) < 40
    assert len(pipeline.rows("outbox")) == 1


def test_a_database_that_goes_away_leaves_it_for_later(
    inline: Make, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = inline(chain())
    whole: Any = pipeline.transport.handle
    pipeline.transport.handle = lambda key, value: (b"shipped" in value and refuse()) or whole(key, value)  # type: ignore[method-assign]

    def refuse() -> bool:
        raise TransportRefused("the database is away")

    with caplog.at_level(logging.WARNING, "oyez.inline"):
        pipeline.announcer.announce(Placed(n=0))
    assert caplog.messages == ["what was announced has to wait: the database is away"]
    assert len(pipeline.rows("outbox")) == 1
    pipeline.transport.handle = whole  # type: ignore[method-assign]
    pipeline.announcer.announce(Placed(n=3))
    assert sorted(pipeline.effects()) == [0, 1, 2, 3, 3, 4, 4]


def test_many_threads_announce_and_each_chain_is_handled_once(inline: Make) -> None:
    pipeline: Inline = inline(chain())

    def announce(n: int) -> None:
        for _ in range(3):
            pipeline.announcer.announce(Placed(k=f"k{n}", n=0))

    threads = [threading.Thread(target=announce, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    pipeline.announcer.flush()  # whoever has announced last may have had no time left for the others' chains
    assert sorted(pipeline.effects()) == sorted([0, 1, 2, 3, 4] * 12)
    assert pipeline.rows("outbox") == []


def test_one_that_cannot_be_read_is_set_aside_and_holds_up_nothing(
    inline: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Its signal has changed since it was announced, for instance."""
    pipeline = inline(chain())
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=3), db=db)
        (value,) = db.execute(select(outbox.c.value)).scalars()
        db.execute(update(outbox).values(value=value.replace(b'"n":4', b'"n":"four"')))
        pipeline.announcer.announce(Placed(n=3), db=db)
        db.commit()
    pipeline.announcer.flush()
    assert (pipeline.effects(), len(pipeline.rows("outbox"))) == ([3, 3, 4], 1)
    (why,) = pipeline.rows("outbox", "refused")
    assert "n: Input should be a valid integer" in why
    assert [
        one for one in caplog.messages if "it is quarantined: oyez outbox status" in one
    ] == caplog.messages
