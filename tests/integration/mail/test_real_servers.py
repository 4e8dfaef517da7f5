"""The queue against Postfix, Exim and OpenSMTPD: what is about the connection costs no mail an attempt, and what was
sent is there once."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable

import pytest

from integration.mail.conftest import Queue, Serve
from integration.mail.real_server import DOMAIN, RealServer
from oyez.consumers.core.rate_limit import Pace
from oyez.consumers.mail.errors import MailServerAway, MailSettingsWrong
from oyez.consumers.mail.sender import Tally
from support.waiting import eventually

ALL = pytest.mark.parametrize("name", ["postfix", "exim", "opensmtpd"])


def arrive_once(server: RealServer, numbers: Iterable[int]) -> None:
    """Each of these mails, and no other, comes into the mailbox once."""
    wanted = {f"<{number}@shop.oyez>": 1 for number in numbers}
    eventually(lambda: server.received().keys() == wanted.keys())
    assert server.received() == wanted


def to(address: str) -> dict[str, str]:
    return {"recipients": f'["{address}"]', "remaining": f'["{address}"]'}


@ALL
def test_a_run_of_250_mails(serve: Serve, queue_to: Queue, name: str) -> None:
    """OpenSMTPD takes a hundred by one connection."""
    server = serve(name)
    one = queue_to(server)
    one.queue(range(250))
    assert one.run() == Tally(sent=250)
    assert set(one.column("attempts")) == {1}
    arrive_once(server, range(250))


def test_opensmtpds_limit_is_kept_in_advance(serve: Serve, queue_to: Queue) -> None:
    server = serve("opensmtpd")
    one = queue_to(server, mail_per_connection=100)
    one.queue(range(250))
    assert one.run() == Tally(sent=250)
    arrive_once(server, range(250))
    assert "Too many messages sent" not in server.log()


def test_exims_limit_of_mails_by_one_connection(serve: Serve, queue_to: Queue) -> None:
    server = serve("exim", "smtp_accept_max_per_connection = 20")
    one = queue_to(server)
    one.queue(range(90))
    assert one.run() == Tally(sent=90)
    assert set(one.column("attempts")) == {1}
    arrive_once(server, range(90))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("postfix", "smtpd_hard_error_limit = 5\nsmtpd_recipient_restrictions = reject_unauth_destination\n"),
        ("exim", ""),
        ("opensmtpd", ""),
    ],
)
def test_recipients_that_are_refused_cost_the_others_nothing(
    serve: Serve, queue_to: Queue, name: str, settings: str
) -> None:
    """Servers leave after so many refused commands; Exim counts RSET too."""
    server = serve(name, settings)
    one = queue_to(server)
    for number in range(0, 60, 2):
        one.queue([number])
        one.queue([number + 1], **to("u@elsewhere.example"))
    assert one.run() == Tally(sent=30, failed=30)
    assert set(one.column("attempts")) == {1}
    arrive_once(server, range(0, 60, 2))


def test_postfixs_limit_of_recipients_of_one_mail(serve: Serve, queue_to: Queue) -> None:
    server = serve("postfix", "smtpd_recipient_limit = 5\n")
    one = queue_to(server, mail_attempts=2)
    many = "[" + ", ".join(f'"u{n}@{DOMAIN}"' for n in range(30)) + "]"
    one.queue([1], recipients=many, remaining=many)
    assert one.run() == Tally(sent=1, delayed=5)
    assert (one.row(1).attempts, one.row(1).remaining) == (1, "[]")


def test_postfixs_rate_limit_costs_no_attempt(serve: Serve, queue_to: Queue) -> None:
    server = serve("postfix", "smtpd_client_message_rate_limit = 10\nsmtpd_client_event_limit_exceptions =\n")
    one = queue_to(server)
    one.queue(range(30))
    with pytest.raises(MailServerAway, match=r"450 4\.7\.1 Error: too much mail from 127\.0\.0\.1"):
        one.run()
    assert (one.states(), sorted(one.column("attempts"))) == (
        {"sent": 10, "waiting": 20},
        [0] * 20 + [1] * 10,
    )
    arrive_once(server, range(10))


@pytest.mark.parametrize("is_delayed", [True, False], ids=["at the recipient", "at once"])
def test_a_name_that_postfix_refuses_is_a_wrong_setting(
    serve: Serve, queue_to: Queue, is_delayed: bool
) -> None:
    server = serve(
        "postfix",
        "smtpd_helo_required = yes\nsmtpd_helo_restrictions = reject_non_fqdn_helo_hostname\n"
        f"smtpd_delay_reject = {'yes' if is_delayed else 'no'}\n",
    )
    one = queue_to(server, mail_ehlo="shop")
    one.queue(range(5))
    with pytest.raises(MailSettingsWrong, match=r"shop.*\(OYEZ_MAIL_EHLO\).*need fully-qualified hostname"):
        one.run()
    assert (one.states(), set(one.column("attempts"))) == ({"waiting": 5}, {0})
    named = queue_to(server, mail_ehlo="shop.example")
    named.clock.now += 60
    assert named.run() == Tally(sent=5)
    arrive_once(server, range(5))


def _other(port: int) -> smtplib.SMTP | None:
    """Somebody else's conversation. Whoever looked whether the server is there may still be counted as one."""
    try:
        other = smtplib.SMTP("127.0.0.1", port, local_hostname="other.example")
        other.ehlo()
    except smtplib.SMTPException:
        return None
    return other


def test_a_full_exim_is_heard(serve: Serve, queue_to: Queue) -> None:
    server = serve("exim", "smtp_accept_max = 1")
    one = queue_to(server)
    one.queue([1])
    with (
        eventually(lambda: _other(server.port)),
        pytest.raises(MailServerAway, match=r"does not serve: 421 .*[Tt]oo many concurrent"),
    ):
        one.run()
    assert one.column("attempts") == [0]


@pytest.mark.parametrize(
    ("name", "settings"), [("postfix", "smtpd_timeout = 1s\n"), ("exim", "smtp_receive_timeout = 1s")]
)
def test_a_server_that_has_had_enough_of_waiting_costs_nothing(
    serve: Serve, queue_to: Queue, name: str, settings: str
) -> None:
    """It says 421 to nobody, and closes."""
    server = serve(name, settings)
    one = queue_to(server)
    one.queue(range(3))
    assert one.run(pace=Pace(1.5)) == Tally(sent=3)
    assert set(one.column("attempts")) == {1}
    arrive_once(server, range(3))
