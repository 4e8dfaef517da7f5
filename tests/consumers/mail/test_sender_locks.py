"""Whose turn it is: a mail that is being sent is nobody else's, and nobody is held up meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from consumers.mail.conftest import Open
from consumers.mail.mail_queue import MailQueue
from oyez.consumers.core.rate_limit import Pace
from oyez.consumers.database import DatabaseAway, make_engine
from oyez.consumers.database.tables import mail
from oyez.consumers.mail.errors import SenderBusy
from oyez.consumers.mail.sender import Order, Tally
from support.waiting import eventually

DAY = 86_400.0


def during(one: MailQueue, act: Callable[[], object]) -> Tally:
    """Send, and do this once, while the server has the first mail in hand."""
    done: list[object] = []

    def on_data(_message_id: str) -> None:
        if not done:
            done.append(None)
            done.append(act())

    one.server.inbox.on_data = on_data
    return one.run()


def test_the_highest_priority_goes_first_and_the_oldest_within_one(mail_queue: Open) -> None:
    one = mail_queue()
    now = one.clock.now
    for number, (priority, since) in enumerate([(0, 1), (5, 3), (9, 9), (5, 2), (9, 8), (5, 2)]):
        one.queue([number], rank=9 - priority, since=now - 10 + since, due_at=now - 10 + since)
    one.run()
    assert one.server.inbox.subjects() == [f"mail {n}" for n in (4, 2, 3, 5, 1, 0)]


def test_a_delayed_mail_does_not_lose_its_place(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue([1], since=one.clock.now - 10)
    one.queue([2])
    one.run()
    assert one.server.inbox.subjects() == ["mail 1", "mail 2"]


def test_what_is_being_sent_is_not_taken_for_abandoned(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue(range(2))

    def look() -> Tally:
        tally = Tally()
        sender = one.sender(clock=lambda _db: one.clock.now + DAY)
        try:
            sender.run(Order(0, timeout=0.0), tally)
        except SenderBusy:
            assert one.database.engine.dialect.name == "sqlite"
        assert one.states() == {"sending": 1, "waiting": 1}
        return tally

    assert during(one, look) == Tally(sent=2)
    assert set(one.server.inbox.times().values()) == {1}


def test_a_slow_sender_does_not_give_up_its_own_marks(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue(range(4))

    def wait(_message_id: str) -> None:
        one.clock.now += 6.0

    one.server.inbox.on_data = wait
    assert one.run() == Tally(sent=4)
    assert set(one.server.inbox.times().values()) == {1}


def test_others_write_while_the_server_is_talked_to(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue([1])

    def write() -> None:
        one.queue([2])

    assert during(one, write).sent == 2


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_a_mark_that_nobody_holds_is_a_dead_senders(mail_queue: Open, policy: str) -> None:
    one = mail_queue(mail_policy=policy)
    one.queue([1], state="sending", claim="dead", changed_at=one.clock.now - 60)
    one.queue([2])
    tally = one.run()
    row = one.row(1)
    assert (row.state, row.unsure) == (("unsure", 1) if policy == "hold" else ("sent", 1))
    assert tally == Tally(sent=1 if policy == "hold" else 2, unsure=1)
    assert len(one.server.inbox) == (1 if policy == "hold" else 2)


def test_a_mark_that_was_only_just_made_is_left(pipeline_postgres: str, server: Any) -> None:
    one = MailQueue(pipeline_postgres, server)
    one.queue([1], state="sending", claim="alive", changed_at=one.clock.now - 1)
    assert one.run().is_empty
    assert one.states() == {"sending": 1}
    one.close()


def test_a_sender_that_lost_its_mark_sends_nothing(pipeline_postgres: str, server: Any) -> None:
    """It was frozen between its mark and the lock, and another one has found the mark."""
    one = MailQueue(pipeline_postgres, server)
    one.queue([1])
    sender = one.sender()
    take = sender._take

    def take_and_lose(*given: Any) -> Any:
        took = take(*given)
        given[0].execute(update(mail).values(state="unsure"))
        return took

    sender._take = take_and_lose  # type: ignore[method-assign]
    tally = Tally()
    sender.run(Order(5), tally)
    assert len(server.inbox) == 0
    assert one.states() == {"unsure": 1}
    one.close()


def kill_all_but(engine: Engine) -> None:
    """End the sender's transaction, as a server does that has waited for too long."""
    with engine.begin() as db:
        db.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
        )


def test_what_the_server_said_is_written_down_when_the_connection_is_lost(
    pipeline_postgres: str, server: Any
) -> None:
    one = MailQueue(pipeline_postgres, server)
    one.queue(range(3))
    other = make_engine(pipeline_postgres)
    tally = during(one, lambda: kill_all_but(other))
    assert (tally, one.states()) == (Tally(sent=3), {"sent": 3})
    assert set(server.inbox.times().values()) == {1}
    other.dispose()
    one.close()


def test_it_is_written_down_also_when_it_was_given_up_meanwhile(pipeline_postgres: str, server: Any) -> None:
    one = MailQueue(pipeline_postgres, server)
    one.queue([1])
    other = make_engine(pipeline_postgres)

    def end_and_look() -> None:
        kill_all_but(other)
        late = MailQueue(pipeline_postgres, server)
        tally = Tally()
        eventually(
            lambda: (
                late.sender(clock=lambda _db: one.clock.now + DAY).run(Order(1), tally) or tally.unsure == 1
            )
        )
        late.close()

    assert during(one, end_and_look) == Tally(sent=1)
    row = one.row(1)
    assert (row.state, row.error) == ("sent", None)
    assert len(server.inbox) == 1
    other.dispose()
    one.close()


def test_on_sqlite_the_second_sender_waits_for_the_first(pipeline_sqlite: str, server: Any) -> None:
    one = MailQueue(pipeline_sqlite, server)
    one.queue(range(4))
    second = Tally()
    thread = threading.Thread(target=lambda: one.sender().run(Order(10), second))

    def begin() -> None:
        with pytest.raises(SenderBusy, match="another sender"):
            one.sender().run(Order(10, timeout=0.0), Tally())
        thread.start()

    assert during(one, begin).sent == 4
    thread.join(60)
    assert second.is_empty
    assert set(server.inbox.times().values()) == {1}
    one.close()


def test_a_stop_ends_the_wait_for_the_turn(pipeline_sqlite: str, server: Any) -> None:
    one = MailQueue(pipeline_sqlite, server)
    one.queue(range(2))
    looks: list[None] = []

    def stopped() -> bool:
        looks.append(None)
        return len(looks) > 3

    def wait() -> None:
        one.sender().run(Order(10, stopped=stopped), Tally())

    assert during(one, wait).sent == 2
    assert len(looks) > 3
    one.close()


def test_a_database_that_is_away_leaves_the_mark(pipeline_postgres: str, server: Any) -> None:
    one = MailQueue(pipeline_postgres, server)
    one.queue([1])
    url, one.database._timeout = one.engine.url, 0.2

    def away() -> None:
        other = make_engine(pipeline_postgres)
        kill_all_but(other)
        other.dispose()
        one.database.engine = make_engine(url.set(port=1).render_as_string(hide_password=False))

    with pytest.raises(DatabaseAway):
        during(one, away)
    assert one.states() == {"sending": 1}
    one.close()


def test_a_stop_is_heard_between_two_mails(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue(range(10))
    tally = one.run(stopped=lambda: len(one.server.inbox) >= 3)
    assert (tally.sent, one.states()) == (3, {"sent": 3, "waiting": 7})


def test_the_pace(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue(range(10))
    times: list[float] = []
    one.server.inbox.on_data = lambda _id: times.append(one.clock.now)  # type: ignore[func-returns-value]
    one.run(pace=Pace(0.6, timer=one.clock, sleep=one.clock.sleep))
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) == 10
    assert all(gap + 1e-6 >= 0.6 and gap < 0.7 for gap in gaps)


def test_a_stop_ends_the_wait_for_the_pace() -> None:
    naps: list[float] = []
    pace = Pace(100.0, timer=lambda: 0.0, sleep=naps.append)
    pace.count()
    assert pace.wait(lambda: len(naps) >= 2)
    assert naps == [0.5, 0.5]
