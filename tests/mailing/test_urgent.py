"""What is urgent does not wait for the next batch: any worker sends it in its next sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from consumers.stage import Placed, Play, Stage
from mailing.conftest import Open
from mailing.scripted import SILENT, talking
from mailing.server import Server
from oyez.consumers import Handlers, Mail
from oyez.consumers.database import DatabaseAway
from oyez.consumers.instrumentation import Happening, Instrument
from oyez.consumers.instrumentation.events import MailServerLost, MailsSent
from oyez.consumers.mail import urgent


class Heard:
    def __init__(self) -> None:
        self.mails: list[Happening] = []

    def receive(self, happening: Happening) -> None:
        if isinstance(happening, MailsSent | MailServerLost):
            self.mails.append(happening)


def alarm(play: Play, heard: Heard | None = None, **said: Any) -> Stage:
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
    stage = alarm(play, heard, **settings(server.port))
    stage.handle(Placed(n=1), Placed(n=2))
    stage.later(10)
    assert server.inbox.subjects() == ["urgent 1", "urgent 2"]
    assert heard.mails == [MailsSent("shop.placed", 2, 0, 0, 0)]
    connections = server.inbox.connections
    stage.later(10)
    assert server.inbox.connections == connections


def test_a_worker_without_a_mail_server_does_nothing(play: Play) -> None:
    heard = Heard()
    stage = alarm(play, heard)
    stage.handle(Placed(n=1))
    stage.later(10)
    assert stage.rows("mail", "state") == ["waiting", "waiting"]
    assert heard.mails == []


@pytest.mark.parametrize("sender", ["s@s.example", None])
def test_a_mail_server_that_is_away_holds_up_no_event(play: Play, sender: str | None) -> None:
    heard = Heard()
    with talking() as gone:
        said = settings(gone.port) | {"mail_sender": sender}
    stage = alarm(play, heard, **said)
    stage.handle(Placed(n=1))
    stage.later(10)
    stage.handle(Placed(n=2))
    stage.later(10)
    assert len(stage.rows("mail", "id")) == 4
    assert [type(one) for one in heard.mails] == [MailServerLost]


@pytest.mark.parametrize("word", ["welcome", "ehlo"])
def test_a_mail_server_that_says_nothing_holds_up_events_for_a_moment_only(
    play: Play, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(urgent, "PATIENCE", 0.1)
    heard = Heard()
    with talking(**{word: SILENT}) as silent:
        stage = alarm(play, heard, **settings(silent.port), mail_timeout=3.0)
        stage.handle(Placed(n=1))
        stage.later(10)
        stage.later(10)
    (lost,) = heard.mails
    assert isinstance(lost, MailServerLost)
    assert "does not answer within 0.1 s" in lost.error
    assert stage.rows("mail", "state") == ["waiting", "waiting"]


@pytest.mark.parametrize(
    "said", [{"mail_host": "mail..example"}, {"mail_user": "s", "mail_password": "pässwörd"}]
)
def test_a_wrong_setting_ends_no_worker(play: Play, said: dict[str, Any]) -> None:
    heard = Heard()
    with talking() as server:
        stage = alarm(play, heard, **settings(server.port) | said)
        stage.handle(Placed(n=1))
        stage.later(10)
        stage.handle(Placed(n=2))
    assert len(stage.rows("mail", "id")) == 4
    assert [type(one) for one in heard.mails] == [MailServerLost]


def raising(error: Exception) -> Callable[..., None]:
    def fails(*_given: Any, **_said: Any) -> None:
        raise error

    return fails


def test_no_trouble_with_mail_ends_a_worker(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urgent, "sender_for", raising(KeyError("what")))
    heard = Heard()
    stage = alarm(play, heard, **settings(1))
    stage.handle(Placed(n=1))
    stage.later(10)
    stage.later(10)
    assert heard.mails == [MailServerLost("shop.placed", "KeyError: 'what'")]


@pytest.mark.parametrize("error", [DatabaseAway("gone"), SQLAlchemyError("broken")])
def test_trouble_with_the_database_is_not_hidden(
    desk: Open, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(urgent, "sender_for", raising(error))
    one, heard = desk(), Heard()
    one.queue([1], rank=0)
    chore = urgent.UrgentMail("shop", one.settings, Instrument(heard), idle_limit=60.0)
    with pytest.raises(type(error)):
        chore.step(one.database, one.clock.now)
    assert heard.mails == []
