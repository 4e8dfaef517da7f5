"""The database goes away between two mails: what was not delivered is not taken for a mail that may have been sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from consumers.mail.conftest import Open
from oyez.consumers.database import DatabaseAway, mails
from oyez.consumers.mail.sender import Order, Sender, Tally


def failing(of: Callable[..., Any], after: int) -> Callable[..., Any]:
    """The same, once so often; then the database is away."""
    calls = iter(range(1_000))

    def call(*given: Any, **named: Any) -> Any:
        if next(calls) >= after:
            raise DatabaseAway("the database is away")
        return of(*given, **named)

    return call


def ended(sender: Sender) -> Tally:
    """What a run has done that the database ends."""
    tally = Tally()
    with pytest.raises(DatabaseAway):
        sender.run(Order(10), tally)
    return tally


def test_no_mail_is_marked_while_there_is_a_look_for_others(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue(range(3))

    def wait(_message_id: str) -> None:
        one.clock.now += 6.0

    one.server.inbox.on_data = wait
    sender = one.sender()
    sender._give_up = failing(sender._give_up, 1)  # type: ignore[method-assign]
    assert ended(sender) == Tally(sent=1)
    assert one.states() == {"sent": 1, "waiting": 2}


def test_the_look_comes_all_the_same(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue(range(4))
    looks: list[float] = []

    def wait(_message_id: str) -> None:
        one.clock.now += 3.0

    def look(db: Connection, claim: str) -> int:
        looks.append(one.clock.now)
        return 0

    one.server.inbox.on_data = wait
    sender, tally = one.sender(), Tally()
    sender._give_up = look  # type: ignore[method-assign]
    sender.run(Order(10), tally)
    assert tally == Tally(sent=4)
    assert [round(at - looks[0]) for at in looks] == [0, 6, 12]


@pytest.mark.parametrize("is_found", [False, True], ids=["left", "given up meanwhile"])
@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_what_was_marked_and_not_delivered_waits_again(mail_queue: Open, policy: str, is_found: bool) -> None:
    one = mail_queue(mail_policy=policy)
    one.queue(range(3))
    sender = one.sender()
    deliver = sender._turn.send
    sender._turn.send = failing(deliver, 1)  # type: ignore[method-assign]
    assert ended(sender) == Tally(sent=1)
    assert one.states() == {"sent": 1, "sending": 1, "waiting": 1}
    sender._turn.send = deliver  # type: ignore[method-assign]
    one.clock.now += 60.0
    if is_found:
        assert one.run(limit=0) == Tally(unsure=1)
    tally = Tally()
    sender.run(Order(10), tally)
    assert tally == Tally(sent=2)
    assert one.states() == {"sent": 3}
    assert set(one.server.inbox.times().values()) == {1}


def test_what_was_delivered_is_not_put_back(mail_queue: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one = mail_queue()
    one.queue(range(2))
    sender = one.sender()
    with monkeypatch.context() as patched:
        patched.setattr(mails, "settle_and_take", failing(mails.settle_and_take, 0))
        patched.setattr(mails, "settle", failing(mails.settle, 0))
        assert ended(sender).is_empty
    one.clock.now += 60.0
    tally = Tally()
    sender.run(Order(10), tally)
    assert tally == Tally(sent=1, unsure=1)
    assert one.states() == {"sent": 1, "unsure": 1}
    assert set(one.server.inbox.times().values()) == {1}
