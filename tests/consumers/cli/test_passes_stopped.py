"""`oyez listen --limit` that is stopped: what it has not asked it does not count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consumers.cli.running import Shop

APP = """
import os, signal
from pathlib import Path
from oyez.consumers import Backoff, Handlers
from oyez.schemas import Signal

class First(Signal, name="first"):
    pass

class Second(Signal, name="second"):
    pass

on = Handlers("stopping")

@on(First, retry=Backoff(first=3600))
def stop(_event: First) -> None:
    failed = Path("failed")
    if not failed.exists():
        failed.touch()
        raise ValueError("as told")
    os.kill(os.getpid(), signal.SIGINT)

@on(Second)
def later(_event: Second) -> None:
    pass
"""


@pytest.fixture
def stopping(spooled_shop: Shop, tmp_path: Path) -> Shop:
    """What is parked of the first event stops the next pass, before that has read anything."""
    (tmp_path / "stopping.py").write_text(APP)
    shop = Shop(tmp_path, {**spooled_shop.settings, "OYEZ_APP": "stopping:on"})
    shop.print("db", "upgrade")
    shop.print("announce", "first", "-d", "{}")
    said = shop.print("listen", "--limit", "20")
    assert said == "0 handled, 1 remain (0 in the log, 1 parked); oyez retry list says why\n"
    shop.print("retry", "release", "--yes")
    shop.print("announce", "second", "-d", "{}")
    return shop


def test_it_says_that_the_log_was_not_asked(stopping: Shop) -> None:
    done = stopping.run("listen", "--limit", "20")
    assert done.returncode == 130
    assert "did not say" not in done.stderr
    assert done.stdout == (
        "1 handled, 0 parked remain; what else is in the log is not known: it was not asked: the pass was stopped\n"
    )
    assert stopping.print("listen", "--limit", "20") == "1 handled, 0 remain (0 in the log, 0 parked)\n"


def test_in_json_it_is_null(stopping: Shop) -> None:
    (done,) = json.loads(stopping.run("listen", "--limit", "20", "--json").stdout)
    assert (done["handled"], done["parked"], done["left"], done["remain"]) == (1, 0, None, None)
