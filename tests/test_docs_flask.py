"""What docs/flask.md shows is run as it is written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from oyez.consumers.dev.ports import answers, free_port
from support.pages import ROOT, block, plain_environment, run_commands, run_tests, shell, written
from support.spooled import spooled
from support.waiting import eventually

PAGE = ROOT / "docs/flask.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's application."""
    written(PAGE, tmp_path, "shop.py", "handlers.py")
    return tmp_path


def test_the_application_and_its_commands_run(folder: Path) -> None:
    port = free_port()
    commands = block(PAGE, "commands").replace(
        "flask --app shop run", f"exec flask --app shop run --port {port}"
    )
    with shell(commands, folder) as log:
        eventually(lambda: answers(port))
        assert "seen /" in log.read_text()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as visitor:
            session = visitor.get("/").json()["visitor"]
            event_id = visitor.get("/pages/cart").json()["id"]
        first, second = spooled(folder).values()
        assert (first["source"], first.get("partitionkey")) == ("shop-1", None)
        assert (second["id"], second["partitionkey"], second["data"]) == (
            event_id,
            session,
            {"url": "/pages/cart"},
        )
    assert "Traceback" not in log.read_text()


def test_its_tests_pass(folder: Path) -> None:
    run_tests(PAGE, folder, "conftest.py", "test_shop.py")


def flask(folder: Path, *arguments: str, **said: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["flask", "--app", "shop", *arguments],
        cwd=folder,
        env={**plain_environment(), **said},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_flags_win_over_the_application_and_that_over_the_environment(folder: Path) -> None:
    done = flask(
        folder, "oyez", "announce", "4", "-d", '{"url": "/"}', OYEZ_SOURCE="other", OYEZ_APP="nowhere:on"
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("oyez: unknown signal 4; known: page.viewed")
    done = flask(
        folder, "oyez", "announce", "3", "--source", "flag", "-d", '{"url": "/"}', OYEZ_SOURCE="other"
    )
    assert done.returncode == 0, done.stderr
    assert [one["source"] for one in spooled(folder).values()] == ["flag"]


def test_the_help_and_a_wrong_setting_are_said_as_oyez_says_them(folder: Path) -> None:
    done = flask(folder, "oyez", "retry", "list", "--help")
    assert done.returncode == 0
    assert "Usage: flask oyez retry list" in done.stdout
    with (folder / "shop.py").open("a") as file:
        file.write('app.config["OYEZ_DATABSE"] = "sqlite://"\n')
    done = flask(folder, "oyez", "signals")
    assert done.returncode == 2
    assert done.stderr == "oyez: app.config: there is no setting databse; did you mean database?\n"


def test_a_broker_that_is_away_is_answered_with_503(folder: Path) -> None:
    asked = (
        "from shop import app\n"
        "answer = app.test_client().get('/pages/tea')\n"
        "print(answer.status_code, answer.json['detail'])\n"
    )
    (folder / "ask.py").write_text(asked)
    away = f"export OYEZ_KAFKA=127.0.0.1:{free_port()} OYEZ_ANNOUNCE_TIMEOUT=0.5"
    said = run_commands(f"{away}; python ask.py", folder)
    assert said.startswith("503 page.viewed was not announced: the broker")


def test_flasks_own_test_runner_runs_them(folder: Path) -> None:
    asked = (
        "from flask.cli import FlaskGroup\n"
        "from shop import app\n"
        "flask = FlaskGroup(create_app=lambda: app)\n"
        "done = app.test_cli_runner().invoke(flask, ['oyez', 'signals'])\n"
        "assert done.exit_code == 0, done.output\n"
        "assert 'page.viewed' in done.output, done.output\n"
    )
    environment = plain_environment() | {"PYTHONPATH": os.pathsep.join([str(folder)])}
    subprocess.run(["python", "-c", asked], cwd=folder, env=environment, timeout=60, check=True)
