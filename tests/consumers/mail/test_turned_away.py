"""A refusal that is about the connection ends the connection, and costs the mail nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.mail.mail_queue import MailQueue
from consumers.mail.scripted_server import PIPELINING, Enough, Talking, talking
from oyez.consumers.database.mail_filter import MailFilter, chosen
from oyez.consumers.mail.errors import MailServerAway, MailSettingsWrong
from oyez.consumers.mail.refusals import to_recipients, to_sender
from oyez.consumers.mail.sender import Tally

BOTH = pytest.mark.parametrize("ehlo", ["250 here", PIPELINING], ids=["in turn", "in a group"])
TOO_MANY = "452 4.5.3 too many messages sent"
LEAVING = "421 4.7.0 too many messages by this connection"


def mail_queue_at(url: str, server: Talking, **said: object) -> MailQueue:
    return MailQueue(url, server, **said)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mail", LEAVING),
        ("mail", TOO_MANY),
        ("mail", "450 slow down"),
        ("mail", "450 4.7.1 Error: too much mail from 127.0.0.1"),
        ("mail", None),
        ("rcpt", LEAVING),
        ("rcpt", "452 4.5.3 too many recipients"),
        ("rcpt", None),
        ("data", LEAVING),
        ("data", None),
        (".", LEAVING),
    ],
)
def test_so_many_mails_a_connection_delay_none(
    pipeline_database: str, ehlo: str, word: str, said: str | None
) -> None:
    with talking(ehlo, last=said) as server:
        server.script.said = Enough(2, word, said)
        one = mail_queue_at(pipeline_database, server)
        one.queue(range(7))
        assert one.run() == Tally(sent=7)
        assert (set(one.column("attempts")), server.script.connections) == ({1}, 4)
        # What is refused after its content was given twice.
        assert len(server.script.contents) == (7 if word != "." else 10)
        one.close()


@BOTH
def test_a_known_limit_is_kept_in_advance(pipeline_database: str, ehlo: str) -> None:
    with talking(ehlo) as server:
        server.script.said = Enough(2, "mail", LEAVING)
        one = mail_queue_at(pipeline_database, server, mail_per_connection=2)
        one.queue(range(7))
        assert one.run() == Tally(sent=7)
        assert server.script.connections == 4
        assert server.script.seen.count("mail") == 7
        assert server.script.seen.count("quit") == 4
        one.close()


@BOTH
@pytest.mark.parametrize("word", ["mail", "rcpt", "data", "."])
def test_a_first_mail_that_is_turned_away_waits_and_loses_nothing(
    pipeline_sqlite: str, ehlo: str, word: str
) -> None:
    with talking(ehlo, last=LEAVING) as server:
        server.script.said = {word: LEAVING}
        one = mail_queue_at(pipeline_sqlite, server, mail_attempts=1)
        one.queue([1, 2])
        assert one.run() == Tally(sent=1, delayed=1)
        assert (one.column("attempts"), one.row(1).error) == ([0, 1], f"u1@a.example: {LEAVING}")
        assert one.row(1).due_at == one.clock.now + 60
        one.clock.now += 60
        assert one.run() == Tally(sent=1)
        one.close()


def test_a_server_that_turns_everybody_away_for_a_day_costs_no_mail_an_attempt(pipeline_sqlite: str) -> None:
    with talking(last=LEAVING) as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue(range(5))
        server.script.said = Enough(0, "mail", LEAVING)
        with pytest.raises(MailServerAway, match=r"3 times in a row: .*421 4\.7\.0 too many"):
            one.run()
        for _ in range(288):
            one.clock.now += 300
            with suppress(MailServerAway):
                one.run()
        assert one.column("attempts") == [0] * 5
        assert max(one.column("due_at")) <= one.clock.now + 3_600
        server.script.said = {}
        one.clock.now += 3_600
        assert one.run() == Tally(sent=5)
        one.close()


def test_a_mail_that_the_server_always_leaves_for_holds_up_no_other_one(pipeline_sqlite: str) -> None:
    with talking(last=LEAVING) as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue(range(3))
        server.script.said = Enough(0, "rcpt", LEAVING)
        with pytest.raises(MailServerAway):
            one.run()
        server.script.said = {}
        one.queue(range(3, 6))
        assert one.run() == Tally(sent=3)
        assert one.column("state") == [*["waiting"] * 3, *["sent"] * 3]
        one.close()


@pytest.mark.parametrize(
    ("said", "error", "kind"),
    [
        (
            "504 5.5.2 <a>: Helo command rejected: need fully-qualified hostname",
            "Helo command",
            MailSettingsWrong,
        ),
        ("554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: no", "Client host", MailSettingsWrong),
        ("450 4.7.1 <a>: Helo command rejected: Host not found", "Host not found", MailServerAway),
    ],
)
@pytest.mark.parametrize("word", ["mail", "rcpt"])
@BOTH
def test_a_refused_name_of_this_host_fails_no_mail(
    pipeline_sqlite: str, ehlo: str, word: str, said: str, error: str, kind: type[Exception]
) -> None:
    with talking(ehlo) as server:
        one = mail_queue_at(pipeline_sqlite, server, mail_ehlo="shop.example")
        one.queue(range(5))
        server.script.said = Enough(0, word, said)
        with pytest.raises(kind, match=rf"as shop\.example \(OYEZ_MAIL_EHLO\): .*{error}"):
            one.run()
        assert (one.states(), set(one.column("attempts"))) == ({"waiting": 5}, {0})
        one.close()


def test_who_has_helo_in_the_address_is_no_host(pipeline_sqlite: str) -> None:
    with talking() as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue([1])
        server.script.said = {"rcpt": "550 5.1.1 <helo@a.example>: unknown"}
        assert one.run() == Tally(failed=1)
        one.close()


def test_what_was_turned_away_can_be_tried_at_once(pipeline_sqlite: str) -> None:
    with talking(last=LEAVING, mail=LEAVING) as server:
        one = mail_queue_at(pipeline_sqlite, server)
        one.queue([1])
        one.queue([2], due_at=one.clock.now + 100)
        one.run()
        with one.engine.connect() as db:
            assert chosen(db, MailFilter(tried=True)) == [1]
        one.close()


@BOTH
def test_recipients_beyond_the_servers_limit_are_for_its_next_mail(pipeline_sqlite: str, ehlo: str) -> None:
    many = "[" + ", ".join(f'"u{n}@a.example"' for n in range(30)) + "]"
    with talking(ehlo) as server:
        one = mail_queue_at(pipeline_sqlite, server, mail_attempts=2)
        one.queue([1], recipients=many, remaining=many)
        server.script.said = AtMost(2)
        assert one.run() == Tally(sent=1, delayed=14)
        assert (one.row(1).state, one.row(1).attempts, len(server.script.contents)) == ("sent", 1, 15)
        one.close()


class AtMost(dict[str, "str | None"]):
    """So many recipients a mail."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def pop(self, word: str, usual: str | None = None) -> str | None:  # type: ignore[override]
        self._count = 0 if word == "mail" else self._count + (word == "rcpt")
        return "452 4.5.3 too many recipients" if word == "rcpt" and self._count > self._most else usual


@pytest.mark.parametrize(
    ("code", "words", "cause"),
    [
        (421, "bye", "connection"),
        (452, "4.5.3 Too many messages sent", "connection"),
        (450, "4.7.1 Error: too much mail from 127.0.0.1", "connection"),
        (452, "4.3.1 Insufficient system storage", "connection"),
        (450, "4.1.8 <a@b.example>: Sender address rejected: Domain not found", "mail"),
        (450, "4.7.1 <A@b.example>: Sender address rejected: later", "mail"),
        (451, "try later", "either"),
        (550, "5.7.1 no", "mail"),
    ],
)
def test_what_a_refused_sender_means(code: int, words: str, cause: str) -> None:
    assert to_sender(code, words, "a@b.example") == cause


@given(
    st.integers(400, 499), st.sampled_from(["4.2.2 mailbox full", "4.5.3 too many", "no", "4.7.1 greylisted"])
)
def test_a_recipient_that_is_refused_alone_is_its_mails_unless_there_are_too_many(
    code: int, words: str
) -> None:
    expected = (
        "connection" if code == 421 else "either" if code == 452 and not words.startswith("4.2") else "mail"
    )
    assert to_recipients(code, words) == expected
