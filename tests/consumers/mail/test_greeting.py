"""How the mail server is greeted, and what it says to that."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from consumers.mail.mail_queue import MailQueue
from consumers.mail.scripted_server import Talking, talking
from oyez.consumers import ListenSettings
from oyez.consumers.mail.connecting import connect
from oyez.consumers.mail.errors import MailServerAway, MailSettingsWrong
from oyez.consumers.mail.sender import Tally
from oyez.producers import SettingsError

BUSY = "421 4.3.2 here, too many connections"


def mail_queue_at(url: str, server: Talking, **said: Any) -> MailQueue:
    return MailQueue(url, server, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("shop.example", "shop.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
    ],
)
def test_the_name_in_ehlo_is_the_one_that_is_set(pipeline_sqlite: str, said: str, name: str) -> None:
    with talking() as server:
        one = mail_queue_at(pipeline_sqlite, server, mail_ehlo=said)
        one.queue([1])
        assert one.run() == Tally(sent=1)
        assert server.script.lines[0].split() == ["ehlo", name]
        one.close()


@pytest.mark.parametrize("said", ["a b", "", "shop.example\r\nMAIL", "192.0.2.1]", "i❤.ws", "-a.example"])
def test_what_is_no_name(said: str) -> None:
    with pytest.raises(SettingsError, match="mail_ehlo"):
        ListenSettings(mail_ehlo=said)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("welcome", {}),
        ("ehlo", {}),
        ("helo", {"ehlo": "502 what?"}),
        ("starttls", {}),
        ("auth", {}),
    ],
)
def test_a_421_is_shown(pipeline_sqlite: str, word: str, said: dict[str, str]) -> None:
    offers = "250-here\r\n250-STARTTLS\r\n250 AUTH CRAM-MD5 PLAIN LOGIN"
    settings = {
        "starttls": {"mail_tls": "starttls"},
        "auth": {"mail_user": "shop", "mail_password": "secret"},
    }.get(word, {})
    with talking(last=BUSY, **{"ehlo": offers, **said, word: BUSY}) as server:
        one = mail_queue_at(pipeline_sqlite, server, **settings)
        one.queue([1])
        with pytest.raises(MailServerAway, match=r"does not serve: 421 .*too many connections"):
            one.run()
        assert (one.states(), one.column("attempts")) == ({"waiting": 1}, [0])
        one.close()


def test_who_is_told_421_says_no_helo(pipeline_sqlite: str) -> None:
    with talking(ehlo="421 no") as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue([1])
        with pytest.raises(MailServerAway, match="421 no"):
            one.run()
        assert server.script.seen == ["ehlo"]
        one.close()


def test_a_name_that_is_refused_is_a_wrong_setting(pipeline_sqlite: str) -> None:
    wrong = "504 5.5.2 <shop>: Helo command rejected: need fully-qualified hostname"
    with talking(ehlo=wrong, helo=wrong) as server:
        one = mail_queue_at(pipeline_sqlite, server, mail_ehlo="shop")
        one.queue([1])
        with pytest.raises(
            MailSettingsWrong, match=r"shop for the name of this host \(OYEZ_MAIL_EHLO\): 504"
        ):
            one.run()
        assert (one.states(), one.column("attempts")) == ({"waiting": 1}, [0])
        one.close()


def test_a_server_that_knows_no_ehlo_is_told_helo(pipeline_sqlite: str) -> None:
    with talking(ehlo="500 what?") as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue([1])
        assert one.run() == Tally(sent=1)
        assert server.script.seen[:2] == ["ehlo", "helo"]
        one.close()


def test_a_host_is_looked_up_by_its_name_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(host: str, *_given: Any, **_said: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "nobody")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(MailServerAway):
        connect(ListenSettings(mail_host="straße.example", mail_ehlo="a.example"), 1.0)
    assert asked == ["xn--strae-oqa.example"]
