"""`oyez healthy` as a user meets it, and the commands that have a heartbeat without forking workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consumers.cli.running import Shop, one_line
from oyez.consumers.cli.program import run_within
from support.waiting import eventually

HEALTHY = (0, "healthy\n")


def said(shop: Shop, *arguments: str, **settings: str) -> tuple[int, str]:
    done = shop.run("healthy", *arguments, **settings)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture
def asked(spooled_shop: Shop) -> Shop:
    """The shop, with its tables and a folder of its own for heartbeats."""
    spooled_shop.print("db", "upgrade")
    mail = {"OYEZ_MAIL_HOST": "127.0.0.1", "OYEZ_MAIL_SENDER": "shop@example.org"}
    health = {"OYEZ_HEALTH": str(spooled_shop.folder / "health")}
    return Shop(spooled_shop.folder, {**spooled_shop.settings, **mail, **health})


@pytest.mark.parametrize(
    "command",
    [
        ("sweep", "--every", "0.2"),
        ("mail", "send", "--every", "0.2"),
        ("outbox", "relay", "--every", "0.2"),
        ("listen",),
        ("sweep", "--every", "3600"),
    ],
    ids=" ".join,
)
def test_a_command_that_goes_on_and_on_has_a_heartbeat(asked: Shop, command: tuple[str, ...]) -> None:
    nothing = said(asked)
    assert nothing == (1, f"nothing of Oyez runs here: there is no heartbeat in {asked.folder / 'health'}\n")
    (asked.folder / "spool").mkdir(exist_ok=True)
    with asked.running(*command) as going:
        eventually(lambda: said(asked) == HEALTHY)
        assert said(asked, "--live") == HEALTHY
        assert going.end(15) == 0
    assert said(asked) == nothing
    assert list((asked.folder / "health").iterdir()) == []


def test_what_is_in_the_way_of_its_work_is_said(asked: Shop) -> None:
    asked.print("announce", "cli.ticked", "-d", "{}")
    shipping = ("spool", "ship", "--kafka", "127.0.0.1:1", "--every", "0.2")
    slow = Shop(asked.folder, {**asked.settings, "OYEZ_DELIVERY_TIMEOUT": "1", "OYEZ_FLUSH_TIMEOUT": "1"})
    with slow.running(*shipping) as going:
        eventually(lambda: said(asked)[0] == 1 and " waits: " in said(asked)[1])
        assert said(asked, "--live") == HEALTHY
        assert going.end(15) == 0


def test_what_a_killed_command_has_left_counts_for_nothing_and_goes(asked: Shop) -> None:
    (asked.folder / "spool").mkdir(exist_ok=True)
    with asked.running("sweep", "--every", "0.2") as going:
        eventually(lambda: said(asked) == HEALTHY)
        going.process.kill()
        going.process.wait()
    (left,) = (asked.folder / "health").iterdir()
    assert said(asked)[1].startswith("nothing of Oyez runs here")
    with asked.running("sweep", "--every", "0.2") as going:
        eventually(lambda: said(asked) == HEALTHY)
        assert not left.exists()
        assert going.end(15) == 0


def test_a_handler_that_hangs_in_a_sweep(asked: Shop) -> None:
    (asked.folder / "hanging.py").write_text(
        "import time\n"
        "from shop import Ticked\n"
        "from oyez.consumers import Handlers\n"
        "on = Handlers('hanging')\n"
        "@on(Ticked)\n"
        "def hang(event: Ticked) -> None:\n"
        "    time.sleep(3600)\n"
    )
    asked.print("announce", "cli.ticked", "-d", "{}")
    quick = {"OYEZ_BUDGET": "1", "OYEZ_STUCK_AFTER": "3"}
    hanging = Shop(asked.folder, {**asked.settings, **quick})
    with hanging.running("--app", "hanging:on", "sweep", "--every", "0.2"):
        eventually(lambda: "main: a handler has not returned for" in said(asked, "--live")[1])
        assert "hang (hanging.py:7)" in said(asked)[1]


def test_the_folder_is_a_setting_like_others(asked: Shop) -> None:
    del asked.settings["OYEZ_HEALTH"]  # type: ignore[attr-defined]
    (asked.folder / "oyez.toml").write_text('health = "beats"\n')
    (asked.folder / "spool").mkdir(exist_ok=True)
    assert said(asked) == (1, "nothing of Oyez runs here: there is no heartbeat in beats\n")
    with asked.running("sweep", "--every", "0.2") as going:
        eventually(lambda: said(asked) == HEALTHY)
        assert going.end(15) == 0


def test_a_folder_that_others_may_write_to_is_refused(asked: Shop, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (asked.folder / "spool").mkdir(exist_ok=True)
    one_line(
        asked.run("--quiet", "sweep", "--every", "1", OYEZ_HEALTH=str(shared)),
        2,
        str(shared),
        "others may write",
    )
    (shared / "1-1").mkdir()
    code, why = said(asked, OYEZ_HEALTH=str(shared))
    assert code == 1
    assert why.startswith(f"the heartbeats in {shared} are not believed: it is another user's, or others")


def test_the_limit_is_more_than_the_budget(asked: Shop) -> None:
    one_line(asked.run("--quiet", "listen", OYEZ_STUCK_AFTER="10"), 2, "stuck_after", "more than budget")
    short = {"OYEZ_BUDGET": "0.5", "OYEZ_STUCK_AFTER": "1"}
    one_line(asked.run("--quiet", "listen", **short), 2, "stuck_after", "greater than or equal to 2")


def test_what_else_is_said_of_it_is_the_command_lines(asked: Shop) -> None:
    one_line(asked.run("healthy", "--lively"), 2, "--lively")
    assert "--live" in asked.print("healthy", "--help")
    assert asked.run("--quiet", "healthy").returncode == 1


@pytest.mark.parametrize("program", ["flask oyez", "manage.py oyez"])
def test_the_settings_of_the_program_around_say_where(
    program: str, asked: Shop, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They win over the environment, as they do for the workers that this program starts."""
    monkeypatch.chdir(asked.folder)
    monkeypatch.setenv("OYEZ_HEALTH", str(asked.folder / "elsewhere"))
    settings = {name.removeprefix("OYEZ_").lower(): value for name, value in asked.settings.items()}

    def said_within(*arguments: str) -> tuple[int, str]:
        code = run_within(program, arguments, "its settings", {**settings, "app": None})
        return code, capfd.readouterr().out

    nothing = said_within("healthy")
    assert nothing == (1, f"nothing of Oyez runs here: there is no heartbeat in {asked.folder / 'health'}\n")
    with asked.running("sweep", "--every", "0.2") as going:
        eventually(lambda: said(asked) == HEALTHY)
        assert said_within("healthy") == HEALTHY
        _, found = said_within("doctor", "--json")
        assert ("processes", "ok") in {(row["check"], row["state"]) for row in json.loads(found)}
        assert going.end(15) == 0
