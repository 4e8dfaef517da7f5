"""What an application does to logging when it is imported does not silence Oyez."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from typing import Any

import pytest

from consumers.cli.running import Shop
from support.waiting import eventually

BROKEN = "this event file is broken and does not run: 903.py: it cannot be imported: ZeroDivisionError"
HANDLERS = {"mine": {"class": "logging.StreamHandler", "formatter": "mine"}}
MINE = {"version": 1, "formatters": {"mine": {"format": "MINE %(message)s"}}, "handlers": HANDLERS}


@pytest.fixture
def shop(spooled_shop: Shop) -> Shop:
    """The shop with a broken event file."""
    files = spooled_shop.folder / "files"
    files.mkdir()
    (files / "903.py").write_text("1 / 0")
    (files / "cli.ticked.py").write_text("def handle(event): ...")
    settings = {**spooled_shop.settings, "OYEZ_APP": "configuring:on", "OYEZ_EVENT_FILES": str(files)}
    made = replace(spooled_shop, settings=settings)
    spooled_shop.print("db", "upgrade")
    return made


def configured(shop: Shop, **configuration: Any) -> Shop:
    settings = {"CONFIGURATION": json.dumps({**MINE, **configuration})}
    return replace(shop, settings={**shop.settings, **settings})


@pytest.mark.parametrize("command", [["sweep"], ["listen", "--limit", "9"], ["status", "--no-lag"]])
def test_with_the_defaults_all_is_said_as_before(shop: Shop, command: list[str]) -> None:
    done = configured(shop, root={"handlers": ["mine"]}).run(*command)
    (said,) = [line for line in done.stderr.splitlines() if BROKEN in line]
    assert done.returncode == 0, done.stderr
    assert " ERROR this event file" in said


def test_workers_are_heard(shop: Shop) -> None:
    with configured(shop, root={"handlers": ["mine"]}).running("listen") as listening:
        eventually(lambda: listening.said().count("worker started") == 3, timeout=60)
        assert listening.end(signal.SIGTERM) == 0
    assert listening.said().count("worker stopped") == 3


def test_with_json_what_ended_a_command_is_json(shop: Shop) -> None:
    loud = configured(shop, root={"handlers": ["mine"]})
    done = loud.run("--log-format", "json", "listen", "nothing", "--limit", "9")
    *_, last = done.stderr.splitlines()
    assert "has no group nothing" in json.loads(last)["message"]


@pytest.mark.parametrize(
    "named",
    [
        {"loggers": {"oyez": {"level": "INFO"}}, "root": {"handlers": ["mine"]}},
        {"loggers": {"oyez": {"level": "INFO", "handlers": ["mine"]}}},
    ],
    ids=["its handlers are the root's", "handlers of its own"],
)
def test_who_names_oyez_hears_it_where_he_says_and_once(shop: Shop, named: dict[str, Any]) -> None:
    done = configured(shop, **named).run("listen", "--limit", "9")
    (said,) = [line for line in done.stderr.splitlines() if BROKEN in line]
    assert done.returncode == 0, done.stderr
    assert said.startswith("MINE ")
