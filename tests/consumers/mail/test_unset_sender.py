"""Nobody is set whom mails are from: those that say it themselves are sent, and the others wait for it."""

from __future__ import annotations

import pytest

from consumers.mail.conftest import Open
from consumers.mail.mail_queue import MailQueue
from oyez.consumers.database.mail_filter import MailFilter, chosen
from oyez.consumers.mail.errors import MailSettingsWrong
from oyez.consumers.mail.sender import Order, Tally

WORDS = "nobody is set whom mails are from; set OYEZ_MAIL_SENDER"


def refused_run(one: MailQueue, limit: int = 500) -> Tally:
    """What a run has done that ends by saying so."""
    tally = Tally()
    with pytest.raises(MailSettingsWrong) as caught:
        one.sender().run(Order(limit), tally)
    assert str(caught.value) == WORDS
    return tally


def test_mails_that_name_their_sender_need_no_other(mail_queue: Open) -> None:
    one = mail_queue(mail_sender=None)
    one.queue(range(3), sender="Till <till@shop.example>")
    assert one.run() == Tally(sent=3)


def test_the_others_wait_for_one_and_lose_nothing(mail_queue: Open) -> None:
    """They stand in nobody's way: what is behind them is sent in the same run."""
    one = mail_queue(mail_sender=None)
    one.queue(range(5))
    one.queue(range(5, 8), sender="till@shop.example")
    assert refused_run(one) == Tally(sent=3, delayed=5)
    row = one.row(0)
    assert (row.state, row.attempts, row.error, row.remaining) == ("waiting", 0, WORDS, '["u0@a.example"]')
    assert row.due_at > one.clock.now
    with one.engine.connect() as db:
        assert (
            len(chosen(db, MailFilter(states=("waiting",), tried=True))) == 5
        )  # what `oyez mail retry` tries at once
    assert one.run() == Tally()
    one.clock.now += 60
    assert refused_run(one, limit=2) == Tally(delayed=2)
    one.close()
    set_now = mail_queue()
    set_now.clock.now = one.clock.now + 3_600
    assert set_now.run() == Tally(sent=5)
