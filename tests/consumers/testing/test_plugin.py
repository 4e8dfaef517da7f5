"""The pytest plugin costs nothing where it is not used, and says what is left where a test fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SHOP = """
from sqlalchemy import Connection, text
from oyez.consumers import Handlers
from oyez.schemas import Event, Signal

class Placed(Signal, name="placed", key="k"):
    k: str
    n: int

on = Handlers("shop")

@on(Placed)
def enter(placed: Event[Placed], db: Connection) -> None:
    before = db.execute(text("SELECT max(n) FROM seen")).scalar() or 0
    if placed.data.n < before:
        raise LookupError(f"{placed.data.n} comes after {before}")
    db.execute(text("INSERT INTO seen VALUES (:n)"), {"n": placed.data.n})
"""
TESTS = """
import pytest
from shop import Placed, on

pytestmark = pytest.mark.oyez(on)

def test_of_two_servers(oyez):
    oyez.execute("CREATE TABLE seen (n INTEGER)")
    for n in range(1, 25):  # by chance in order once in millions
        oyez.announce(Placed(k="k", n=n), source=f"web-{n % 2}")
    assert oyez.run(order="any")

def test_without_it():
    pass
"""


def pytest_in(folder: Path, *options: str) -> str:
    """What pytest says in a folder; it is to fail."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OYEZ_", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", *options]
    done = subprocess.run(
        command, cwd=folder, env=plain, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_a_failed_test_shows_what_is_left_and_a_seed_that_repeats_it(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "test_shop.py").write_text(TESTS)
    said = pytest_in(tmp_path)
    assert "1 failed, 1 passed" in said
    (section,) = re.findall(r"-+ Oyez -+\n(.*?)\n=", said, re.DOTALL)
    assert re.search(
        r"<enter: placed Placed\(k='k', n=\d+\) is tried again in 1 s after an attempt: LookupError: ",
        section,
    )
    assert 'raise LookupError(f"{placed.data.n} comes after {before}")' in section
    (option,) = re.findall(r"--oyez-seed=\d+", section)
    (again,) = re.findall(r"-+ Oyez -+\n(.*?)\n=", pytest_in(tmp_path, option), re.DOTALL)
    assert _raised(again) == _raised(section)


def _raised(section: str) -> list[str]:
    return re.findall(r"LookupError: .*", section)


def test_nothing_of_oyez_is_loaded_before_it_is_used() -> None:
    """Neither is what it needs: pytest loads the plugin in every project."""
    program = """
import sys, pytest
before = set(sys.modules)
import pytest_oyez
print(*sorted(name for name in set(sys.modules) - before if name.split(".")[0] != "_pytest"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(done.stdout.split()) <= {
        "oyez",
        "oyez.consumers",
        "oyez.consumers.testing",
        "oyez.consumers.testing.plugin",
        "oyez.producers",
        "oyez.producers.when_used",
        "importlib.util",
        "pytest_oyez",
    }


def test_a_mistake_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(MISTAKES)
    said = pytest_in(tmp_path, "-rE")
    assert "3 errors" in said
    assert (
        "no application: set oyez_app in pytest's configuration, mark the test with @pytest.mark.oyez"
        '("module:handlers"), give it to kit(), or set OYEZ_APP' in said
    )
    assert "there is no module nowhere in" in said
    assert "max_attempts" in said
    assert "oyez/consumers" not in said, "no traceback leads into Oyez"


MISTAKES = """
import pytest

def test_nothing_says_where_it_is(oyez):
    pass

@pytest.mark.oyez("nowhere:on")
def test_it_is_not_there(oyez):
    pass

@pytest.mark.oyez("nowhere:on", max_attempts=0)
def test_it_may_not_be_set_so(oyez):
    pass
"""
