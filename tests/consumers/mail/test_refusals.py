"""What a mail server says, or fails to say, is its mail's alone."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from consumers.mail.conftest import Open
from consumers.mail.mail_queue import MailQueue
from consumers.mail.scripted_server import PIPELINING, SILENT, talking, timeout_for
from oyez.consumers.mail.errors import MailServerAway, MailSettingsWrong
from oyez.consumers.mail.sender import Tally
from oyez.consumers.mail.smtp import Link


@pytest.mark.parametrize("ehlo", ["250 here", PIPELINING], ids=["in turn", "in a group"])
@pytest.mark.parametrize(
    ("said", "state", "error"),
    [
        ({"mail": "451 not now"}, "waiting", "451 not now"),
        ({"mail": "550 not you"}, "failed", "550 not you"),
        ({"rcpt": "450 mailbox busy"}, "waiting", "450 mailbox busy"),
        ({"rcpt": "550 no such user"}, "failed", "550 no such user"),
        ({"data": "451 disk full"}, "waiting", "451 disk full"),
        ({"data": "554 no"}, "failed", "554 no"),
        ({"end": "451 greylisted"}, "waiting", "451 greylisted"),
        ({"end": "554 spam"}, "failed", "554 spam"),
        ({"rcpt": "421 closing"}, "waiting", "421 closing"),
        ({"mail": None}, "waiting", "the connection was lost"),
        ({"rcpt": None}, "waiting", "the connection was lost"),
        ({"data": None}, "waiting", "the connection was lost"),
        ({"end": None}, "unsure", "the connection was lost"),
        ({"end": SILENT}, "unsure", "the connection was lost"),
        ({"rcpt": SILENT}, "waiting", "the connection was lost"),
        ({"end": "hello?"}, "unsure", "no reply"),
    ],
)
def test_the_next_mail_is_sent_all_the_same(
    pipeline_sqlite: str, said: dict[str, Any], state: str, error: str, ehlo: str
) -> None:
    with talking(ehlo, **said) as server:
        one = MailQueue(pipeline_sqlite, server, mail_timeout=timeout_for(said.values()))  # type: ignore[arg-type]
        one.queue(range(3))
        tally = one.run()
        assert one.column("state") == [state, "sent", "sent"]
        assert error in one.column("error")[0]
        assert (tally.sent, tally.delayed, tally.failed, tally.unsure) == (
            2,
            state == "waiting",
            state == "failed",
            state == "unsure",
        )
        one.close()


def test_backoff_and_the_last_attempt(mail_queue: Open) -> None:
    one = mail_queue(mail_attempts=3)
    one.server.inbox.on_rcpt = lambda _address: "451 later"
    one.queue([1])
    delays = []
    for _ in range(2):
        assert one.run().delayed == 1
        assert one.run().is_empty
        delays.append(one.row(1).due_at - one.clock.now)
        one.clock.now = one.row(1).due_at
    assert 48 <= delays[0] <= 72
    assert 96 <= delays[1] <= 144
    assert one.run() == Tally(failed=1)
    assert (one.row(1).attempts, one.row(1).error) == (3, "u1@a.example: 451 later")


def test_some_recipients_are_refused(mail_queue: Open) -> None:
    one = mail_queue()
    three = '["a@a.example", "b@a.example", "c@a.example"]'
    one.queue([1], recipients=three, remaining=three)
    replies = {"b@a.example": ["550 no such user"], "c@a.example": ["451 later"]}
    one.server.inbox.on_rcpt = lambda who: replies[who].pop() if replies.get(who) else None
    assert one.run() == Tally(delayed=1)
    assert one.row(1).remaining == '["b@a.example", "c@a.example"]'
    one.clock.now += 100
    assert one.run() == Tally(failed=1)
    row = one.row(1)
    assert (row.remaining, row.error) == ('["b@a.example"]', "b@a.example: 550 no such user")
    assert [to for _, to, _ in one.server.inbox.mails] == [["a@a.example"], ["c@a.example"]]


def test_a_mail_that_may_have_been_sent_is_sent_again_where_that_is_the_policy(pipeline_sqlite: str) -> None:
    with talking(end=None) as server:
        one = MailQueue(pipeline_sqlite, server, mail_policy="resend")  # type: ignore[arg-type]
        one.queue([1])
        assert one.run() == Tally(unsure=1)
        assert (one.row(1).state, one.row(1).unsure) == ("waiting", 1)
        one.clock.now += 100
        assert one.run() == Tally(sent=1)
        first, second = server.script.contents
        ids = [
            line for content in (first, second) for line in content.split(b"\r\n") if b"Message-ID" in line
        ]
        assert ids == [b"Message-ID: <1@shop.oyez>"] * 2
        assert (one.row(1).state, one.row(1).unsure) == ("sent", 1)
        one.close()


def test_a_server_that_is_away_marks_nothing(pipeline_sqlite: str) -> None:
    with talking() as server:
        one = MailQueue(pipeline_sqlite, server)  # type: ignore[arg-type]
    one.queue(range(2))
    with pytest.raises(MailServerAway, match=r"127\.0\.0\.1:\d+ cannot be reached"):
        one.run()
    assert (one.column("state"), one.column("attempts")) == (["waiting"] * 2, [0, 0])
    one.close()


def test_a_server_that_always_leaves_counts_as_away(pipeline_sqlite: str) -> None:
    with talking() as server:
        one = MailQueue(pipeline_sqlite, server)  # type: ignore[arg-type]
        one.queue(range(10))
        server.script.said = Always(mail=None)  # type: ignore[assignment]
        with pytest.raises(MailServerAway, match="3 times in a row"):
            one.run()
        assert (one.column("attempts"), one.states()) == ([0] * 10, {"waiting": 10})
        assert server.script.connections == 3
        one.close()


class Always(dict[str, Any]):
    def pop(self, word: str, usual: Any = None) -> Any:
        return self.get(word, usual)


def test_nothing_to_send_needs_no_server(mail_queue: Open) -> None:
    one = mail_queue()
    one.queue([1], due_at=one.clock.now + 10, since=one.clock.now + 10)
    assert one.run().is_empty
    assert one.server.inbox.connections == 0


def test_starttls_is_never_left_out(pipeline_sqlite: str) -> None:
    with talking() as server:
        one = MailQueue(pipeline_sqlite, server, mail_tls="starttls")  # type: ignore[arg-type]
        one.queue([1])
        with pytest.raises(MailSettingsWrong, match="STARTTLS"):
            one.run()
        assert "mail" not in server.script.seen
        one.close()


def test_lines_of_dots_come_through(mail_queue: Open) -> None:
    one = mail_queue()
    content = b"Subject: mail 1\r\n\r\n.\r\n..\r\n.a\r\nend\r\n"
    one.queue([1], content=content)
    one.run()
    assert one.server.inbox.contents[0].endswith(content)


def test_commands_go_in_one_group_where_the_server_takes_that(pipeline_sqlite: str) -> None:
    with talking(PIPELINING) as server:
        one = MailQueue(pipeline_sqlite, server)  # type: ignore[arg-type]
        three = '["a@a.example", "b@a.example", "c@a.example"]'
        one.queue(range(2), recipients=three, remaining=three)
        assert one.run().sent == 2
        assert server.script.seen == ["ehlo", *["mail", "rcpt", "rcpt", "rcpt", "data"] * 2, "quit"]
        assert server.script.connections == 1
        one.close()


@pytest.mark.parametrize("word", ["mail", "rcpt", "data", "end"])
def test_a_server_that_says_421_is_left(pipeline_sqlite: str, word: str) -> None:
    with talking(**{word: "421 too busy"}) as server:
        one = MailQueue(pipeline_sqlite, server)  # type: ignore[arg-type]
        one.queue(range(2))
        assert one.run() == Tally(sent=1, delayed=1)
        assert server.script.connections == 2
        assert "rset" not in server.script.seen
        one.close()


@pytest.mark.parametrize(
    ("ehlo", "more"), [("250 here", []), (PIPELINING, ["data"])], ids=["in turn", "in a group"]
)
def test_a_refused_mail_leaves_nothing_of_itself_to_the_next(
    pipeline_sqlite: str, ehlo: str, more: list[str]
) -> None:
    with talking(ehlo, rcpt="550 no such user") as server:
        one = MailQueue(pipeline_sqlite, server)  # type: ignore[arg-type]
        one.queue(range(2))
        assert one.run() == Tally(sent=1, failed=1)
        assert server.script.seen == ["ehlo", "mail", "rcpt", *more, "rset", "mail", "rcpt", "data", "quit"]
        assert server.script.connections == 1
        one.close()


@pytest.mark.parametrize("end", [None, SILENT, "hello?", "451 what for?", "421 closing"])
@pytest.mark.parametrize(
    ("said", "tally"),
    [
        ({"rcpt": "550 no such user"}, Tally(sent=1, failed=1)),
        ({"rcpt": "450 mailbox busy"}, Tally(sent=1, delayed=1)),
        ({"mail": "550 not you", "rcpt": "503 no sender"}, Tally(sent=1, failed=1)),
    ],
)
def test_what_nobody_was_to_get_is_never_unsure(
    pipeline_sqlite: str, said: dict[str, Any], tally: Tally, end: str | None
) -> None:
    """In a group the server asks for the content all the same: it gets none, and has refused the mail by then."""
    with talking(PIPELINING, **said, end=end) as server:
        one = MailQueue(pipeline_sqlite, server, mail_timeout=timeout_for([end]))  # type: ignore[arg-type]
        one.queue(range(2))
        assert one.run() == tally
        assert said[next(iter(said))] in one.column("error")[0]
        one.close()


class Recording:
    """A socket whose timeouts are written down."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.timeouts: list[float] = []

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_the_time_of_a_mail_is_that_of_all_its_commands(pipeline_sqlite: str) -> None:
    with talking() as server:
        ticks = count(0, 10)
        one = MailQueue(pipeline_sqlite, server)  # type: ignore[arg-type]
        link = Link(one.settings, timer=lambda: float(next(ticks)))
        link.open()
        recorded = link._smtp.sock = Recording(link._smtp.sock)
        answer = link.send("a@a.example", ["b@a.example"], b"Subject: s\r\n\r\nhello\r\n")
        assert answer.accepted == ("b@a.example",)
        assert recorded.timeouts == [20.0, 10.0, 0.05, 0.05]
        link.close()
        one.close()
