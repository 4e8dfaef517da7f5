"""What is urgent does not wait for the next batch: any worker sends it in its next sweep."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.stage import Placed, Play, Stage
from mailing.scripted import talking
from mailing.server import Server
from oyez.consumers import Handlers, Mail
from oyez.consumers.instruments import Happening, Instrument
from oyez.consumers.instruments.happenings import MailServerLost, MailsSent


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
