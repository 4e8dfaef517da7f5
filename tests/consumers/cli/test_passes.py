"""`oyez listen --limit` and `oyez sweep`: one pass, on a spool."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from consumers.cli.conftest import Invoke
from oyez.producers import Announcer

Refused = Callable[..., None]


@pytest.fixture
def spooled(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Three views of a session that has not started, and four ticks."""
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    assert invoke("db", "upgrade").exit_code == 0
    views = "\n".join(json.dumps({"session_id": "s1", "url": f"/{n}"}) for n in range(3))
    assert invoke("announce", "903", "-d", "-", given=views).exit_code == 0
    assert invoke("announce", "cli.ticked", "-d", "-", given="{}\n" * 4).exit_code == 0
    return invoke


def printed(invoke: Invoke, *arguments: str) -> dict[str, object]:
    result = invoke("listen", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, object]] = json.loads(result.stdout)
    assert len(found) == 1
    return found[0]


def test_it_says_what_was_handled_and_what_remains(spooled: Invoke) -> None:
    """Three groups read the seven events; what is skipped counts for what is left, but not for what is handled."""
    result = spooled("listen", "--limit", "100")
    assert result.exit_code == 0, result.output
    assert result.stdout == "4 handled, 3 remain (0 in the log, 3 parked)\n"
    assert spooled("announce", "901", "-d", '{"session_id": "s1"}').exit_code == 0
    assert printed(spooled, "--limit", "100") == {
        "handled": 4,
        "expired": 0,
        "remain": 0,
        "left": 0,
        "parked": 0,
        "broken": {},
        "halted": [],
    }


def test_what_has_expired_is_not_handled(spooled: Invoke) -> None:
    """The announcer's clock is an hour late."""
    with Announcer.from_settings(clock=lambda: time.time_ns() - 3_600_000_000_000) as late:
        for _ in range(2):
            late.announce("cli.ticked", {}, expires=timedelta(minutes=5))
    assert (
        spooled("listen", "cli.ticked", "--limit", "1").stdout
        == "1 handled, 5 remain (5 in the log, 0 parked)\n"
    )
    result = spooled("listen", "cli.ticked", "--limit", "9")
    assert result.stdout == "3 handled, 2 expired, 0 remain (0 in the log, 0 parked)\n"


@pytest.mark.parametrize("name", ["cli.ticked", "clishop.cli.ticked"])
def test_the_groups_of_a_signal(spooled: Invoke, name: str) -> None:
    first = printed(spooled, name, "--limit", "1")
    assert (first["handled"], first["left"], first["parked"]) == (1, 3, 0)
    assert printed(spooled, name, "--limit", "9")["handled"] == 3


def test_a_signal_by_its_number(spooled: Invoke) -> None:
    assert spooled("announce", "901", "-d", '{"session_id": "s1"}').exit_code == 0
    done = printed(spooled, "901", "903", "--limit", "9")
    assert (done["handled"], done["remain"]) == (4, 0)


def test_any_signal(spooled: Invoke) -> None:
    assert spooled("announce", "901", "-d", '{"session_id": "s1"}').exit_code == 0
    assert printed(spooled, "901", "0", "--limit", "99")["handled"] == 8


def test_what_cannot_be_combined(refused: Refused) -> None:
    refused(["listen", "--limit", "5", "--workers", "2"], 2, "--limit is one pass", "--workers")
    refused(["listen", "--limit", "5", "--metrics", "0"], 2, "--limit is one pass", "--metrics")
    refused(["listen", "--json"], 2, "--json", "--limit")
    refused(["listen", "--limit", "0"], 2, "--limit")


def test_a_signal_that_is_not_there(refused: Refused, spooled: Invoke) -> None:
    refused(["listen", "999", "--limit", "5"], 4, "unknown signal 999")
    refused(["listen", "nobody", "--limit", "5"], 4, "clishop has no group nobody")


def test_a_transport_that_leaves_nothing_to_listen_to(
    refused: Refused, spooled: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_TRANSPORT", "inline")
    refused(["listen", "--limit", "5"], 2, "inline", "kafka or spool")


def test_handlers_that_are_broken_are_an_error(spooled: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_CLOSED", "yes")
    starts = "\n".join(json.dumps({"session_id": f"s{n}"}) for n in range(60))
    assert spooled("announce", "901", "-d", "-", given=starts).exit_code == 0
    result = spooled("listen", "cli.session.started", "--limit", "100", "--json")
    assert result.exit_code == 1
    (done,) = json.loads(result.stdout)
    assert (done["handled"], done["left"], done["parked"]) == (0, 67, 0)
    assert "60 of 60 deliveries failed alike" in done["broken"]["clishop.cli.session.started"]


def test_a_sweep_leaves_a_group_whose_handlers_are_broken(
    spooled: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for a deploy that repairs them: the other groups go on, and nothing of it is lost."""
    starts = "\n".join(json.dumps({"session_id": f"s{n}"}) for n in range(60))
    assert spooled("announce", "901", "-d", "-", given=starts).exit_code == 0
    with monkeypatch.context() as broken:
        broken.setenv("SHOP_CLOSED", "yes")
        result = spooled("sweep", "--json")
    handled = {row["group"].removeprefix("clishop.cli."): row["handled"] for row in json.loads(result.stdout)}
    assert (result.exit_code, handled["session.started"], handled["ticked"]) == (1, 0, 4)
    assert "60 of 60 deliveries failed alike" in result.stderr
    result = spooled("sweep", "--json")
    handled = {row["group"].removeprefix("clishop.cli."): row["handled"] for row in json.loads(result.stdout)}
    assert (result.exit_code, handled["session.started"], handled["page.viewed"]) == (0, 60, 3)


def test_a_sweep_takes_no_more_than_its_limit(spooled: Invoke) -> None:
    """In all groups together, what was parked counted too."""
    counts = []
    for _ in range(5):
        rows = json.loads(spooled("sweep", "--limit", "3", "--json").stdout)
        counts.append(sum(row["handled"] + row["parked"] for row in rows))
    assert max(counts) <= 3
    assert sum(counts) == 7


def test_failures_are_said_once_for_each_handler_and_type_of_error(spooled: Invoke) -> None:
    """With the first one's text, however many events it were; what only waits is no failure."""
    views = "\n".join(json.dumps({"session_id": f"t{n}", "url": "/bad"}) for n in range(3))
    starts = "\n".join(json.dumps({"session_id": f"t{n}"}) for n in range(3))
    assert spooled("announce", "901", "-d", "-", given=starts).exit_code == 0
    assert spooled("announce", "903", "-d", "-", given=views).exit_code == 0
    result = spooled("listen", "--limit", "100")
    assert (result.exit_code, result.stdout) == (
        0,
        "7 handled, 6 remain (0 in the log, 6 parked); oyez retry list says why\n",
    )
    (said,) = [line for line in result.stderr.splitlines() if "failed" in line]
    group = "WARNING clishop.cli.page.viewed: count_view"
    assert f"{group} failed 3 times with ValueError, first: ValueError: no such page" in said
