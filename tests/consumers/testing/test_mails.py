"""A test sees of a mail what its handler has said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oyez.consumers import Handlers, Mail
from oyez.consumers.testing import kit
from oyez.schemas import Catalogue, Signal

signals = Catalogue()


class Booked(Signal, name="table.booked", catalogue=signals):
    table: str
    at: datetime


on = Handlers("diary")


@on(Booked)
def confirm(booked: Booked, mail: Mail) -> None:
    mail.send(to="a@b.example", subject="now", text="x", not_before=booked.at - timedelta(days=9))
    mail.send(to="a@b.example", subject="later", text="x", priority=9, not_before=booked.at)


@on(Booked)
def confirm_many(booked: list[Booked], mail: Mail) -> None:
    mail.send(to="a@b.example", subject="for all", text="x", priority=0)


def test_what_a_mail_has_besides() -> None:
    with kit(on, signals=signals) as oyez:
        at = datetime.fromtimestamp(round(oyez.clock.now + 86_400, 6), UTC)
        number = oyez.announce(Booked(table="7", at=at))
        assert oyez.run()
        said = {one.subject: (one.priority, one.not_before, one.event_id) for one in oyez.mails}
    assert said == {"now": (5, None, number), "later": (9, at, number), "for all": (0, None, None)}
