"""What is urgent does not wait for the next batch: any worker sends it in its next sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from consumers.mail.conftest import Open
from consumers.mail.scripted_server import SILENT, talking
from consumers.mail.smtp_server import Server
from consumers.pipeline import Pipeline, Placed, Play
from oyez.consumers import Handlers, Mail
from oyez.consumers.database import DatabaseAway
from oyez.consumers.instrumentation import Instrument, InstrumentationEvent
from oyez.consumers.instrumentation.events import MailServerLost, MailsSent
from oyez.consumers.mail import urgent


class Heard:
    def __init__(self) -> None:
        self.mails: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        if isinstance(event, MailsSent | MailServerLost):
            self.mails.append(event)


def alarm(play: Play, heard: Heard | None = None, **said: Any) -> Pipeline:
    on = Handlers("shop")

    @on(Placed)
    def warn(event: Placed, mail: Mail) -> None:
        mail.send(to="a@a.example", subject=f"urgent {event.n}", text="now", priority=9)
        mail.send(to="a@a.example", subject=f"usual {event.n}", text="later", priority=8)

    return play(on, instrument=Instrument(heard or Heard()), **said)


def settings(port: int) -> dict[str, Any]:
    return {"mail_host": "127.0.0.1", "mail_port": port, "mail_tls": "none", "mail_sender": "s@s.example"}


def test_a_worker_sends_what_is_urgent_in_its_next_sweep(play: Play, server: Server) -> None:
    heard = Heard()
    pipeline = alarm(play, heard, **settings(server.port))
    pipeline.handle(Placed(n=1), Placed(n=2))
    pipeline.later(10)
    assert server.inbox.subjects() == ["urgent 1", "urgent 2"]
    assert heard.mails == [MailsSent("shop.placed", 2, 0, 0, 0)]
    connections = server.inbox.connections
    pipeline.later(10)
    assert server.inbox.connections == connections


def test_a_worker_without_a_mail_server_does_nothing(play: Play) -> None:
    heard = Heard()
    pipeline = alarm(play, heard)
    pipeline.handle(Placed(n=1))
    pipeline.later(10)
    assert pipeline.rows("mail", "state") == ["waiting", "waiting"]
    assert heard.mails == []


@pytest.mark.parametrize("sender", ["s@s.example", None])
def test_a_mail_server_that_is_away_holds_up_no_event(play: Play, sender: str | None) -> None:
    heard = Heard()
    with talking() as gone:
        said = settings(gone.port) | {"mail_sender": sender}
    pipeline = alarm(play, heard, **said)
    pipeline.handle(Placed(n=1))
    pipeline.later(10)
    pipeline.handle(Placed(n=2))
    pipeline.later(10)
    assert len(pipeline.rows("mail", "id")) == 4
    assert [type(one) for one in heard.mails] == [MailServerLost]


@pytest.mark.parametrize("word", ["welcome", "ehlo"])
def test_a_mail_server_that_says_nothing_holds_up_events_for_a_moment_only(
    play: Play, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(urgent, "TIMEOUT", 0.1)
    heard = Heard()
    with talking(**{word: SILENT}) as silent:
        pipeline = alarm(play, heard, **settings(silent.port), mail_timeout=3.0)
        pipeline.handle(Placed(n=1))
        pipeline.later(10)
        pipeline.later(10)
    (lost,) = heard.mails
    assert isinstance(lost, MailServerLost)
    assert "does not answer within 0.1 s" in lost.error
    assert pipeline.rows("mail", "state") == ["waiting", "waiting"]


@pytest.mark.parametrize(
    "said", [{"mail_host": "mail..example"}, {"mail_user": "s", "mail_password": "pässwörd"}]
)
def test_a_wrong_setting_ends_no_worker(play: Play, said: dict[str, Any]) -> None:
    heard = Heard()
    with talking() as server:
        pipeline = alarm(play, heard, **settings(server.port) | said)
        pipeline.handle(Placed(n=1))
        pipeline.later(10)
        pipeline.handle(Placed(n=2))
    assert len(pipeline.rows("mail", "id")) == 4
    assert [type(one) for one in heard.mails] == [MailServerLost]


def test_a_mail_without_a_sender_holds_up_no_other(play: Play, server: Server) -> None:
    heard, on = Heard(), Handlers("shop")

    @on(Placed)
    def warn(event: Placed, mail: Mail) -> None:
        said: dict[str, Any] = {} if event.n < 3 else {"sender": "till@shop.example"}
        mail.send(to="a@a.example", subject=f"urgent {event.n}", text="now", priority=9, **said)

    pipeline = play(on, instrument=Instrument(heard), **settings(server.port) | {"mail_sender": None})
    for n in (1, 3, 2, 4):
        pipeline.handle(Placed(n=n))
        pipeline.later(10)
    assert server.inbox.subjects() == ["urgent 3", "urgent 4"]
    lost = [one for one in heard.mails if isinstance(one, MailServerLost)]
    assert ["OYEZ_MAIL_SENDER" in one.error for one in lost] == [True], "it is said once a minute at most"


def raising(error: Exception) -> Callable[..., None]:
    def fails(*_given: Any, **_said: Any) -> None:
        raise error

    return fails


def test_no_trouble_with_mail_ends_a_worker(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urgent, "sender_for", raising(KeyError("what")))
    heard = Heard()
    pipeline = alarm(play, heard, **settings(1))
    pipeline.handle(Placed(n=1))
    pipeline.later(10)
    pipeline.later(10)
    assert heard.mails == [MailServerLost("shop.placed", "KeyError: 'what'")]


@pytest.mark.parametrize("error", [DatabaseAway("gone"), SQLAlchemyError("broken")])
def test_trouble_with_the_database_is_not_hidden(
    mail_queue: Open, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(urgent, "sender_for", raising(error))
    one, heard = mail_queue(), Heard()
    one.queue([1], rank=0)
    task = urgent.UrgentMail("shop", one.settings, Instrument(heard), idle_limit=60.0)
    with pytest.raises(type(error)):
        task.step(one.database, one.clock.now)
    assert heard.mails == []
