"""Standard streams that are closed, full, without a reader, or cannot show a letter, break no command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from consumers.cli.arguments import ENDING, SIGNALS, line_of
from consumers.cli.running import OYEZ, Shop
from support.waiting import eventually


def every_command() -> list[list[str]]:
    """Each command that ends, with what it needs to do something."""
    return [[], ["--help"], *(line_of(name) for name in sorted(ENDING))]


PARTS = 4
"""Of all commands: each part well within the limit of a test."""


def outcomes(shop: Shop, commands: Sequence[Sequence[str]]) -> list[tuple[str, dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-m", "consumers.cli.every_command", str(shop.folder), json.dumps(commands)],
        env={
            **shop.environment(),
            "PYTHONPATH": os.pathsep.join([shop.environment()["PYTHONPATH"], *sys.path]),
        },
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(" ".join(one), found) for one, found in zip(commands, json.loads(done.stdout), strict=True)]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_command_ends_as_with_streams_that_are_sound(spooled_shop: Shop, part: int) -> None:
    spooled_shop.print("db", "upgrade")
    spooled_shop.print("announce", "903", "-d", '{"session_id": "sü", "url": "/→"}')
    (spooled_shop.folder / SIGNALS).write_text(spooled_shop.print("signals", "--json-schema"))
    wrong = []  # `tail` ends as usual where nobody reads: it asks, since it may have nothing to print for hours
    for command, found in outcomes(spooled_shop, every_command()[part::PARTS]):
        code, out = found["normal"]["code"], found["normal"]["out"]
        alike = [kind for kind in ("closed", "full stderr", "ascii") if found[kind]["code"] != code]
        full = found["full stdout"]
        said = "stdout cannot be written: No space left on device" in full["err"]
        is_told = (full["code"], said) == (1, True) if out else (full["code"], said) == (code, False)
        is_left = found["no reader"]["code"] == (1 if out and not command.startswith("tail") else code)
        traced = [
            kind for kind, one in found.items() if "Traceback" in one["err"] or "Exception" in one["err"]
        ]
        if alike or traced or not is_told or not is_left:
            wrong.append((command, alike, traced, found))
    assert wrong == []


def test_letters_that_stdout_cannot_show_are_escaped(spooled_shop: Shop) -> None:
    spooled_shop.print("announce", "903", "-d", '{"session_id": "sü", "url": "/→😀"}')
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    (line,) = spooled_shop.run("spool", "cat", **ascii_only).stdout.splitlines()
    assert json.loads(line)["data"] == {"session_id": "sü", "url": "/→😀"}
    named = spooled_shop.run("announce", "nö", "-d", "{}", **ascii_only)
    assert (named.returncode, named.stderr.isascii()) == (4, True)


def test_data_on_the_command_line_are_utf_8_whatever_the_locale(spooled_shop: Shop) -> None:
    posix = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = spooled_shop.run("announce", "903", "-d", '{"session_id": "sü", "url": "/"}', **posix)
    assert done.returncode == 0, done.stderr
    assert json.loads(spooled_shop.print("spool", "cat"))["data"]["session_id"] == "sü"


def test_a_file_that_is_opened_later_is_no_standard_stream(spooled_shop: Shop) -> None:
    """It would get what libraries, and the interpreter itself, write to those."""
    spooled_shop.print("db", "upgrade")
    (spooled_shop.folder / "files").mkdir()
    (spooled_shop.folder / "files" / "cli.ticked.py").write_text(
        "import os\ndef handle(event):\n    os.write(1, b'WRONG'); os.write(2, b'WRONG')\n"
    )
    settings = {"OYEZ_EVENT_FILES": "files"}
    for command in (["announce", "cli.ticked", "-d", "{}"], ["listen", "--limit", "9"]):
        done = subprocess.run(
            ["sh", "-c", '"$0" "$@" <&- >&- 2>&-', OYEZ, *command],
            cwd=spooled_shop.folder,
            env={**spooled_shop.environment(), **settings},
            timeout=60,
            check=False,
        )
        assert done.returncode == 0
    written = [file for file in spooled_shop.folder.rglob("*") if file.is_file() and file.suffix != ".py"]
    assert [file for file in written if b"WRONG" in file.read_bytes()] == []
    assert spooled_shop.print("listen", "--limit", "9").startswith("0 handled, 0 remain")


@pytest.mark.parametrize("reader", ["head -c 1", "true"])
def test_who_reads_no_more_is_no_error(reader: str, spooled_shop: Shop) -> None:
    for number in range(3):
        spooled_shop.print("announce", "903", "-d", json.dumps({"session_id": "s1", "url": f"/{number}"}))
    done = subprocess.run(
        ["sh", "-c", f'"$0" spool cat | {reader}', OYEZ],
        cwd=spooled_shop.folder,
        env=spooled_shop.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""


def test_handlers_that_print_do_not_fail_when_nobody_reads(spooled_shop: Shop) -> None:
    """The shop's print, and its events are no trouble's."""
    spooled_shop.print("db", "upgrade")
    listening = subprocess.Popen(
        ["sh", "-c", 'exec "$0" listen 2>/dev/full >"$1"', OYEZ, "/dev/full"],
        cwd=spooled_shop.folder,
        env=spooled_shop.environment(),
    )
    try:
        spooled_shop.print("announce", "901", "-d", '{"session_id": "s1"}')
        spooled_shop.print("announce", "903", "-d", '{"session_id": "s1", "url": "/a"}')
        eventually(lambda: noted(spooled_shop.folder) == ["started", "/a"], timeout=90)
    finally:
        listening.send_signal(signal.SIGTERM)
        code = listening.wait(60)
    assert code == 0
    assert spooled_shop.run("dead", "list", "--json").stdout == "[]\n"


def noted(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "oyez.db") as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'noted'").fetchone():
            return []
        return [what for (what,) in db.execute("SELECT what FROM noted")]
