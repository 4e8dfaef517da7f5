"""A wrong connection, or what is set wrongly for it, is no mail's fault; and one mail's fault is not the others'."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest

from consumers.mail.mail_queue import MailQueue
from consumers.mail.scripted_server import PIPELINING, SILENT, Talking, talking, timeout_for
from oyez.consumers.mail.errors import MailServerAway, MailSettingsWrong
from oyez.consumers.mail.sender import Tally
from support.waiting import eventually

BOTH = pytest.mark.parametrize("ehlo", ["250 here", PIPELINING], ids=["in turn", "in a group"])


def mail_queue_at(url: str, server: Talking, **said: Any) -> MailQueue:
    return MailQueue(url, server, **said)  # type: ignore[arg-type]


class Always(dict[str, Any]):
    def pop(self, word: str, usual: Any = None) -> Any:
        return self.get(word, usual)


class Second(dict[str, Any]):
    """What is said the second time."""

    def pop(self, word: str, usual: Any = None) -> Any:
        if word not in self:
            return usual
        times, said = self[word]
        self[word] = (times + 1, said)
        return said if times == 1 else usual


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "=?utf-7?q?+2AA-?= <forms@b.example>"},
        {"sender": "nobody"},
        {"recipients": '["ä@b.example"]', "remaining": '["ä@b.example"]'},
        {"recipients": '["a@b.example\\r\\nDATA"]', "remaining": '["a@b.example\\r\\nDATA"]'},
    ],
    ids=["name", "sender", "recipient", "line break"],
)
def test_a_mail_that_cannot_be_written_stops_no_other_one(
    pipeline_database: str, wrong: dict[str, str]
) -> None:
    with talking() as server:
        one = mail_queue_at(pipeline_database, server, mail_policy="resend")
        one.queue([1], **wrong)
        one.queue([2])
        assert one.run() == Tally(sent=1, failed=1)
        assert one.column("state") == ["failed", "sent"]
        assert one.row(1).error
        assert len(server.script.contents) == 1
        one.close()


def test_a_mail_that_the_client_stumbles_upon_stops_no_other_one(
    pipeline_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = smtplib.SMTP.docmd

    def stumbles(smtp: smtplib.SMTP, command: str, args: str = "") -> Any:
        if command == "RCPT TO:<u1@a.example>":
            raise ValueError("no")
        return asked(smtp, command, args)

    monkeypatch.setattr(smtplib.SMTP, "docmd", stumbles)
    with talking() as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue([1, 2])
        assert one.run() == Tally(sent=1, delayed=1)
        one.close()


@pytest.mark.parametrize("code", [530, 535, 538])
@BOTH
def test_a_server_that_wants_a_login_fails_no_mail(pipeline_database: str, ehlo: str, code: int) -> None:
    with talking(ehlo, mail=f"{code} Authentication required") as server:
        one = mail_queue_at(pipeline_database, server)
        one.queue(range(3), attempts=2)
        with pytest.raises(MailSettingsWrong, match=rf"OYEZ_MAIL_USER.*: {code} Authentication required"):
            one.run()
        assert (one.states(), one.column("attempts")) == ({"waiting": 3}, [2, 2, 2])
        assert one.run() == Tally(sent=3)
        one.close()


@BOTH
def test_a_server_that_leaves_after_each_mail_delays_none(pipeline_database: str, ehlo: str) -> None:
    with talking(ehlo, last="250 bye") as server:
        server.script.said = Always({".": "250 bye"})
        one = mail_queue_at(pipeline_database, server)
        one.queue(range(8))
        assert one.run() == Tally(sent=8)
        assert (set(one.column("attempts")), server.script.connections) == ({1}, 8)
        assert len(server.script.contents) == 8
        one.close()


@BOTH
@pytest.mark.parametrize(
    ("word", "said", "state"),
    [("mail", SILENT, "waiting"), ("rcpt", SILENT, "waiting"), (".", None, "unsure")],
)
def test_a_server_that_is_silent_or_may_have_the_mail_is_not_asked_again(
    pipeline_sqlite: str, ehlo: str, word: str, said: str | None, state: str
) -> None:
    with talking(ehlo) as server:
        server.script.said = Second({word: (0, said)})
        one = mail_queue_at(pipeline_sqlite, server, mail_timeout=timeout_for([said]))
        one.queue(range(2))
        one.run()
        assert one.column("state") == ["sent", state]
        assert server.script.connections == 1
        one.close()


def test_a_server_that_has_left_for_good_delays_nothing(pipeline_database: str) -> None:
    with talking(last="250 bye", end="250 bye") as server:
        one = mail_queue_at(pipeline_database, server)
        one.queue(range(3))
        answer = server._answer

        def last_one(stream: Any) -> bool:
            going_on = answer(stream)
            if server.script.contents:
                server.refuse()
            return going_on

        server._answer = last_one  # type: ignore[method-assign]
        with pytest.raises(MailServerAway, match="cannot be reached"):
            one.run()
        assert (one.column("state"), one.column("attempts")) == (["sent", "waiting", "waiting"], [1, 0, 0])
        one.close()


@BOTH
@pytest.mark.parametrize("word", ["mail", "rcpt", "data"])
def test_last_words_are_heard(pipeline_sqlite: str, ehlo: str, word: str) -> None:
    with talking(ehlo, last="421 go away", **{word: "421 go away"}) as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue([1])
        assert one.run() == Tally(delayed=1)
        assert one.row(1).error == "u1@a.example: 421 go away"
        one.close()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"mail_host": "mail..example"}, "OYEZ_MAIL_HOST"),
        ({"mail_host": "a\0b"}, "OYEZ_MAIL_HOST"),
        ({"mail_user": "shop", "mail_password": "pässwörd"}, "OYEZ_MAIL_PASSWORD"),
        ({"mail_user": "schöp", "mail_password": "x"}, "OYEZ_MAIL_USER"),
    ],
)
def test_what_no_client_can_use_is_said(pipeline_sqlite: str, said: dict[str, str], name: str) -> None:
    with talking() as server:
        one = mail_queue_at(pipeline_sqlite, server, **said)
        one.queue([1])
        with pytest.raises(MailSettingsWrong, match=name) as caught:
            one.run()
        assert "ssw" not in str(caught.value)
        assert one.states() == {"waiting": 1}
        one.close()


@pytest.mark.parametrize("word", ["welcome", "ehlo"])
def test_a_silent_server_does_not_answer(pipeline_sqlite: str, word: str) -> None:
    with talking(**{word: SILENT}) as server:
        one = mail_queue_at(pipeline_sqlite, server, mail_timeout=0.2)
        one.queue([1])
        with pytest.raises(MailServerAway, match=r"does not answer within 0\.2 s"):
            one.run()
        assert one.states() == {"waiting": 1}
        one.close()


def test_a_connection_that_is_not_used_is_closed(pipeline_sqlite: str) -> None:
    with talking() as server:
        one = mail_queue_at(pipeline_sqlite, server, mail_tls="starttls")
        one.queue([1])
        with pytest.raises(MailSettingsWrong) as caught:
            one.run()
        # As long as the error is kept, the garbage collector closes nothing.
        eventually(lambda: server.script.ended == 1)
        assert caught.value
        one.close()
