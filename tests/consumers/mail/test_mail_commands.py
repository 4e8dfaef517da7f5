"""`oyez mail …`: what the commands find, do, print and refuse."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from consumers.mail.conftest import Open
from consumers.mail.mail_queue import MailQueue
from oyez.consumers.cli import app
from oyez.consumers.cli.common.rates import interval_of
from oyez.consumers.reports.mails import forecast
from support.processes import Program
from support.waiting import eventually

Invoke = Callable[..., Result]


@pytest.fixture
def one(mail_queue: Open) -> MailQueue:
    """A mail queue with a clock of today: the commands have no other."""
    found = mail_queue()
    found.clock.now = time.time()
    return found


@pytest.fixture
def oyez(one: MailQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Run a command on the mail queue's database, for the mail queue's server."""
    signals = {kind: signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.chdir(tmp_path)
    settings = {
        "DATABASE": one.url,
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PORT": str(one.server.port),
        "MAIL_TLS": "none",
        "MAIL_SENDER": "shop@shop.example",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"OYEZ_{name}", value)
    yield lambda *arguments: CliRunner().invoke(app, ["mail", *arguments])
    for kind, handler in signals.items():
        signal.signal(kind, handler)


def said(oyez: Invoke, *arguments: str) -> Any:
    result = oyez(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(oyez: Invoke, code: int, *arguments: str) -> str:
    result = oyez(*arguments)
    assert (result.exit_code, len(result.stderr.splitlines())) == (code, 1), result.output
    return result.stderr


def test_send_in_runs(oyez: Invoke, one: MailQueue) -> None:
    one.queue(range(5))
    assert said(oyez, "send", "--limit", "3") == [{"sent": 3, "delayed": 0, "failed": 0, "unsure": 0}]
    assert oyez("send").stdout == "sent\tdelayed\tfailed\tunsure\n2\t0\t0\t0\n"
    assert one.server.inbox.subjects() == [f"mail {n}" for n in range(5)]


def test_a_run_every_so_often_until_it_is_told_to_stop(oyez: Invoke, one: MailQueue, tmp_path: Path) -> None:
    one.queue(range(3))
    daemon = Program(
        tmp_path / "log", "oyez.consumers.cli", "mail", "send", "--every", "0.1", "--json", env={}
    )
    try:
        eventually(lambda: len(one.server.inbox) == 3, 60)
        one.queue(range(3, 5))
        eventually(lambda: len(one.server.inbox) == 5)
        assert daemon.stop() == 0, daemon.output()
    finally:
        daemon.end()
    runs = [json.loads(line) for line in daemon.output().splitlines() if line.startswith("{")]
    assert sum(run["sent"] for run in runs) == 5
    assert one.states() == {"sent": 5}


def test_rates() -> None:
    assert [interval_of(rate, "mails", "min") for rate in ("100", "120/min", "5/s", "3600/h")] == [
        0.6,
        0.5,
        0.2,
        1.0,
    ]


def test_the_expected_wait(oyez: Invoke, one: MailQueue) -> None:
    one.queue(range(2_000))
    one.queue(range(2_000, 2_003), due_at=one.clock.now + 3_600)
    (status,) = said(oyez, "status")
    assert (status["due"], status["later"]) == (2_000, 3)
    assert status["forecast"] == {"runs": 4, "earliest": 900.0, "latest": 1_200.0}
    line = oyez("status").stdout.splitlines()[-1]
    assert line == "at 500 every 5 min: sent in 4 runs, the last after 15 min and at most 20 min"
    (status,) = said(oyez, "status", "--limit", "1000", "--every", "60")
    assert status["forecast"]["latest"] == 120


@pytest.mark.parametrize(
    ("count", "expected"), [(0, (0, 0, 0)), (1, (1, 0, 300)), (500, (1, 0, 300)), (501, (2, 300, 600))]
)
def test_runs(count: int, expected: tuple[int, float, float]) -> None:
    found = forecast(count, 500, 300)
    assert (found.runs, found.earliest, found.latest) == expected


def test_the_list_has_no_contents(oyez: Invoke, one: MailQueue) -> None:
    one.queue(range(3))
    rows = said(oyez, "list")
    assert [row["subject"] for row in rows] == ["mail 0", "mail 1", "mail 2"]
    assert (rows[0]["state"], rows[0]["priority"], rows[0]["recipients"]) == ("waiting", 5, ["u0@a.example"])
    for command in (["list"], ["list", "--json"], ["show", str(rows[0]["id"])]):
        result = oyez(*command)
        assert result.exit_code == 0
        assert "hello" not in result.output
    assert "hello" in oyez("show", str(rows[0]["id"]), "--content").stdout
    assert "there is no mail 999" in refused(oyez, 4, "show", "999")


def test_filters(oyez: Invoke, one: MailQueue) -> None:
    one.queue(range(3))
    one.queue([3], rank=0, handler="other", source="web", event_id="e3")
    one.queue([4], state="failed", error="550 no such user", queued_at=one.clock.now - 7_200, unsure=1)
    number = str(one.row(2).id)
    for arguments, count in [
        ([], 5),
        (["--state", "failed"], 1),
        (["--state", "failed", "--state", "waiting"], 5),
        (["--priority", "9"], 1),
        (["--handler", "other", "--source", "web", "--id", "e3"], 1),
        (["--to", "u1@"], 1),
        (["--error", "no such"], 1),
        (["--error", "NO SUCH"], 0),
        (["--older", "1h"], 1),
        (["--newer", "1h"], 4),
        (["--mail", number], 1),
        (["--unsure"], 1),
    ]:
        assert len(said(oyez, "list", *arguments)) == count, arguments
    assert "held" in refused(oyez, 2, "list", "--state", "broken")


def test_hold_release_cancel(oyez: Invoke, one: MailQueue) -> None:
    one.queue(range(4))
    assert said(oyez, "hold", "--to", "u1@", "--yes") == [{"matched": 1, "held": 1, "busy": 0}]
    assert said(oyez, "cancel", "--to", "u2@", "--yes") == [{"matched": 1, "canceled": 1, "busy": 0}]
    assert said(oyez, "send")[0]["sent"] == 2
    assert said(oyez, "release", "--dry-run") == [{"matched": 1}]
    assert said(oyez, "release", "--yes") == [{"matched": 1, "released": 1, "busy": 0}]
    assert said(oyez, "send")[0]["sent"] == 1
    assert one.states() == {"sent": 3, "canceled": 1}


def test_retry(oyez: Invoke, one: MailQueue) -> None:
    one.queue([1], state="failed", refused='{"u1@a.example": "550 no"}', attempts=12)
    one.queue([2], attempts=3, due_at=one.clock.now + 3_600)
    one.queue([3], due_at=one.clock.now + 3_600)
    assert said(oyez, "retry", "--yes") == [{"matched": 2, "retried": 2, "busy": 0}]
    assert said(oyez, "send")[0]["sent"] == 2
    assert (one.row(1).state, one.row(3).state) == ("sent", "waiting")


def test_purge(oyez: Invoke, one: MailQueue) -> None:
    for number, state in enumerate(("waiting", "sending", "sent", "failed", "held", "canceled", "unsure")):
        one.queue([number], state=state, claim="x")
    assert said(oyez, "purge", "--yes") == [{"matched": 2, "purged": 2, "busy": 0}]
    assert said(oyez, "purge", "--state", "failed", "--yes")[0]["purged"] == 1
    assert set(one.states()) == {"waiting", "sending", "held", "unsure"}
    assert "not for purge" in refused(oyez, 2, "purge", "--state", "waiting", "--yes")


def test_what_may_have_been_sent_is_only_released_by_name(oyez: Invoke, one: MailQueue) -> None:
    one.queue([1], state="unsure", unsure=1)
    assert said(oyez, "release", "--yes")[0]["matched"] == 0
    assert said(oyez, "release", "--state", "unsure", "--yes")[0]["released"] == 1
    assert said(oyez, "send")[0]["sent"] == 1
    assert [row["state"] for row in said(oyez, "list", "--unsure")] == ["sent"]


def test_nothing_happens_unasked_off_a_terminal(oyez: Invoke, one: MailQueue) -> None:
    one.queue([1])
    one.queue([2], state="held")
    one.queue([3], state="failed")
    one.queue([4], state="sent")
    for command in ("hold", "release", "cancel", "retry", "purge"):
        assert "--yes" in refused(oyez, 2, command)
    assert one.states() == {"waiting": 1, "held": 1, "failed": 1, "sent": 1}


def test_what_is_wrong_is_one_line(oyez: Invoke, one: MailQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    one.queue([1])
    assert "100/min" in refused(oyez, 2, "send", "--rate", "fast")
    monkeypatch.setenv("OYEZ_MAIL_PORT", "1")
    result = oyez("send")
    assert result.exit_code == 5
    assert "the mail server 127.0.0.1:1 cannot be reached" in result.stderr
    assert one.states() == {"waiting": 1}
    monkeypatch.delenv("OYEZ_MAIL_SENDER")
    monkeypatch.setenv("OYEZ_MAIL_PORT", str(one.server.port))
    assert "OYEZ_MAIL_SENDER" in refused(oyez, 2, "send")
    monkeypatch.delenv("OYEZ_MAIL_HOST")
    assert "OYEZ_MAIL_HOST" in refused(oyez, 2, "send")
    monkeypatch.setenv("OYEZ_MAIL_HOST", "mail.example")
    monkeypatch.setenv("OYEZ_MAIL_USER", "shop")
    monkeypatch.setenv("OYEZ_MAIL_PASSWORD", "hush-hush")
    message = refused(oyez, 2, "send")
    assert "clear text" in message
    assert "hush" not in message


@pytest.mark.parametrize("due", [1e12, -1e12, 253_402_300_799.0])
def test_a_time_that_no_calendar_has_is_listed_all_the_same(oyez: Invoke, one: MailQueue, due: float) -> None:
    one.queue([1], due_at=due, since=due)
    one.queue([2])
    assert len(said(oyez, "list")) == 2
    assert oyez("list").exit_code == 0
    assert said(oyez, "show", str(one.row(1).id))[0]["due_at"]


@pytest.mark.parametrize("number", ["99999999999999999999", str(2**63)])
def test_a_number_that_no_mail_has_is_a_line(oyez: Invoke, number: str) -> None:
    for command in (["list", "--mail", number], ["hold", "--mail", number, "--yes"], ["show", number]):
        assert str(2**63 - 1) in refused(oyez, 2, *command)
    assert "there is no mail" in refused(oyez, 4, "show", str(2**63 - 1))
