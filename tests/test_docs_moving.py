"""What the pages on moving show is run as it is written."""

from __future__ import annotations

import re
import sqlite3
import textwrap
from contextlib import closing
from pathlib import Path

from support.pages import ROOT, run_commands


def run(page: str, folder: Path) -> str:
    """Write the page's files, and run its commands; what they print."""
    text = (ROOT / "docs" / page).read_text()
    blocks = re.findall(r"^( *)<!-- run: (\S+) -->\n *```\w+\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    files = {name: textwrap.dedent(body) for _, name, body in blocks}
    commands = files.pop("commands")
    for name, body in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(body)
    return run_commands(commands, folder)


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "oyez.db")) as db:
        return db.execute(query).fetchall()


def test_a_page_that_came_before_its_session_is_counted(tmp_path: Path) -> None:
    run("moving-from-owa.md", tmp_path)
    assert rows(tmp_path, "SELECT id, pages FROM session") == [("s1", 1)]


def test_an_event_file_with_a_number_runs_and_its_mail_is_queued(tmp_path: Path) -> None:
    printed = run("moving-from-theia.md", tmp_path)
    assert "3_mydata.py" in printed
    assert rows(tmp_path, "SELECT title, owner FROM item") == [("hat", "ann")]
    assert rows(tmp_path, "SELECT count(*) FROM oyez_mail") == [(1,)]
