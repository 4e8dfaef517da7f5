"""The application of docs/event-files.md, as it is written there: over every transport with the same result."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from oyez.consumers.database.migrating import upgrade

GUIDE = (Path(__file__).parent.parent / "docs" / "event-files.md").read_text()
FILES = ("items.py", "events/3.awards.py", "events/item.new-mail.py")
RESULT = {
    "points": [("ann", 2)],
    "mails": [
        ("item.new-mail.py", '["curator@items.example"]', "New: hat"),
        ("item.new-mail.py", '["curator@items.example"]', "New: cap"),
    ],
    "parked": [],
    "dead": [],
}
PROGRAM = """
import sys
from oyez.consumers import ListenSettings, listen, load_application
from oyez.producers import Announcer

load_application(ListenSettings())
with Announcer.from_settings() as announcer:
    announcer.announce(3, {"item": "hat", "owner": "ann"})
    announcer.announce(1, {"owner": "ann"})
    announcer.announce("item.new", {"item": "cap", "owner": "ann"})
if sys.argv[1] != "inline":
    print(listen(limit=100))
"""
QUERIES = {
    "points": "SELECT owner, points FROM account",
    "mails": "SELECT handler, recipients, subject FROM oyez_mail ORDER BY id",
    "parked": "SELECT handler FROM oyez_parked",
    "dead": "SELECT handler, reason FROM oyez_dead",
}


def _block(name: str) -> str:
    found = re.search(rf"<!-- run: {re.escape(name)} -->\n```\w+\n(.*?)```", GUIDE, re.DOTALL)
    assert found, f"the guide has no block named {name}"
    return found[1]


def _write(folder: Path) -> None:
    for name in FILES:
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(_block(name))


def _run(folder: Path, *command: str, **settings: str) -> str:
    _write(folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PYTHON": sys.executable, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _found(folder: Path) -> dict[str, list[Any]]:
    engine = create_engine(f"sqlite:///{folder / 'oyez.db'}")
    with engine.connect() as db:
        found = {name: [tuple(row) for row in db.execute(text(query))] for name, query in QUERIES.items()}
    engine.dispose()
    return found


def test_the_commands_with_nothing_set(tmp_path: Path) -> None:
    _run_commands(tmp_path)


def test_the_commands_over_kafka(tmp_path: Path, kafka: str, topic: str) -> None:
    _run_commands(tmp_path, OYEZ_KAFKA=kafka, OYEZ_TOPIC=topic)


def _run_commands(tmp_path: Path, **settings: str) -> None:
    shell = 'python() { "$PYTHON" "$@"; }\noyez() { "$PYTHON" -m oyez.consumers.cli "$@"; }\n'
    printed = _run(tmp_path, "sh", "-ec", shell + _block("commands"), **settings)
    for name in ("open_account", "3.awards.py", "item.new-mail.py"):
        assert f"\t{name}\t" in printed
    assert " handled, 0 remain (0 in the log, 0 parked)" in printed
    assert _found(tmp_path) == RESULT


@pytest.mark.parametrize("transport", ["inline", "spool"])
def test_a_program_over_the_other_transports(tmp_path: Path, transport: str) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'oyez.db'}")
    upgrade(engine)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE account (owner TEXT PRIMARY KEY, points INTEGER)"))
    engine.dispose()
    printed = _run(
        tmp_path, sys.executable, "-c", PROGRAM, transport, OYEZ_APP="items:on", OYEZ_TRANSPORT=transport
    )
    assert printed == (
        ""
        if transport == "inline"
        else "Listened(handled=3, left=0, parked=0, broken={}, halted=(), expired=0)\n"
    )
    assert _found(tmp_path) == RESULT
