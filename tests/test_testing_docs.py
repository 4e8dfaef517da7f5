"""docs/testing.md and docs/first-steps.md as they are written: in an empty folder, by nothing but what they show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
STEPS, TESTING = ((DOCS / name).read_text() for name in ("first-steps.md", "testing.md"))
TESTS = 12
"""How many there are in the page; one of them is run ten times."""


def blocks(page: str, name: str) -> str:
    """All of a page that goes into one file, or is one run."""
    found = re.findall(rf"<!-- run: {re.escape(name)} -->\n```\w+\n(.*?)```", page, re.DOTALL)
    assert found, f"the page has no block named {name}"
    return "\n\n".join(found)


def plain(**said: str) -> dict[str, str]:
    """An environment that says nothing of Oyez but this."""
    left = {name: value for name, value in os.environ.items() if not name.startswith(("OYEZ_", "PYTEST"))}
    return {**left, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{left['PATH']}", **said}


def test_the_tests_of_the_page_pass_as_written(tmp_path: Path, kafka: str, postgres_server: str) -> None:
    (tmp_path / "shop.py").write_text(blocks(STEPS, "shop.py"))
    for name in ("pyproject.toml", "test_shop.py", "test_unittest.py", "test_announcing.py", "test_live.py"):
        (tmp_path / name).write_text(blocks(TESTING, name))
    conftest = blocks(TESTING, "announcing conftest.py") + blocks(TESTING, "conftest.py")
    (tmp_path / "conftest.py").write_text(conftest)
    environment = plain(OYEZ_TEST_KAFKA=kafka, OYEZ_TEST_POSTGRES=postgres_server)
    done = subprocess.run(
        ["python", "-m", "pytest", "-q", "-W", "error"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{TESTS + 10} passed" in done.stdout


class Steps:
    """A folder in which the first steps are taken, with these settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._environment = plain(OYEZ_APP="shop:on", **settings)
        for name in ("shop.py", "announce.py", "test_shop.py"):
            (folder / name).write_text(blocks(STEPS, name))

    def take(self, name: str) -> str:
        """What is printed by a block of commands."""
        return self.run(blocks(STEPS, name))

    def run(self, commands: str) -> str:
        done = subprocess.run(
            ["sh", "-ec", commands],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_the_first_steps(tmp_path: Path) -> None:
    steps = Steps(tmp_path)
    steps.take("tables")
    early = steps.take("early")
    assert "settle" in early
    assert "order.placed" in early
    late = steps.take("late")
    assert "[('o1', 500, 'paid')]" in late
    assert "Thank you" in late
    steps.run("python announce.py; oyez listen --limit 10; pytest -q")
    assert "'o2', 900, 'open'" in steps.run(blocks(STEPS, "late").splitlines()[2])


def test_the_same_steps_on_kafka_and_postgresql(
    tmp_path: Path, kafka: str, topic: str, postgres: str
) -> None:
    steps = Steps(tmp_path, OYEZ_KAFKA=kafka, OYEZ_DATABASE=postgres, OYEZ_TOPIC=topic)
    steps.take("real tables")
    steps.take("real")
    bill = 'python -c \'import os, sqlalchemy as sa; print(sa.create_engine(os.environ["OYEZ_DATABASE"])'
    assert "[('o1', 500, 'paid')]" in steps.run(
        f'{bill}.connect().execute(sa.text("SELECT * FROM bill")).all())\''
    )
