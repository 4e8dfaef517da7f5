"""A spool that may not be read is an error that names what, and for whom. It does not count as empty."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from consumers.cli.running import Shop
from support.unprivileged import modes_count
from support.waiting import eventually

COMMANDS = [
    ["spool", "status"],
    ["spool", "verify"],
    ["spool", "cat"],
    ["sweep"],
    ["listen", "--limit", "9"],
    ["listen"],
    ["status"],
    ["explain", "e1"],
]


@pytest.fixture
def spool(spooled_shop: Shop) -> Path:
    """The folder of a log with one event."""
    spooled_shop.print("db", "upgrade")
    spooled_shop.print("announce", "cli.ticked", "-d", "{}")
    return spooled_shop.folder / "spool" / "oyez.events"


def run(shop: Shop, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shop.run(*arguments, before=modes_count)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_is_an_error_of_each_command(command: list[str], spooled_shop: Shop, spool: Path) -> None:
    spool.chmod(0)
    done = run(spooled_shop, *command)
    spool.chmod(0o700)
    (said,) = [line for line in done.stderr.splitlines() if line != "imported"]
    assert done.returncode == 1, done.stderr
    assert f"{spool}: Permission denied" in said
    assert f"this process is the user {'root (0)' if os.geteuid() == 0 else ''}" in said
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("command", "below"),
    [
        *((command, "") for command in [*COMMANDS, ["spool", "ship"], ["tail"], ["export", "k"]]),
        (["sweep"], "below"),
    ],
    ids=str,
)
def test_where_no_folder_is_nothing_is_said_to_be_empty(
    command: list[str], below: str, spooled_shop: Shop, spool: Path
) -> None:
    """A file stands in the place of the spool, or of a folder above it."""
    place = spooled_shop.folder / "events.ndjson"
    place.write_text("{}\n")
    done = spooled_shop.run(*command, OYEZ_SPOOL=str(place / below))
    (said,) = [line for line in done.stderr.splitlines() if line != "imported"]
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert said.startswith(
        f"oyez: the spool {place / below} cannot be used: {place} is no folder; move that away"
    )


@pytest.mark.parametrize("named", ["OYEZ_SPOOL", "OYEZ_SPOOLS"])
def test_a_file_among_several_spools(named: str, spooled_shop: Shop, spool: Path) -> None:
    place = spooled_shop.folder / "a-file"
    place.touch()
    both = {"OYEZ_SPOOL": str(spool.parent), "OYEZ_SPOOLS": json.dumps([str(spool.parent)])}
    both[named] = str(place) if named == "OYEZ_SPOOL" else json.dumps([str(place)])
    done = spooled_shop.run("sweep", **both)
    assert (done.returncode, f"{place} is no folder" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("place", ["spool", "spool/oyez.events"])
def test_whoever_announces_into_a_file_is_told_and_whoever_reads_it(place: str, spooled_shop: Shop) -> None:
    spooled_shop.print("db", "upgrade")
    path = spooled_shop.folder / place
    path.parent.mkdir(exist_ok=True)
    path.touch()
    for command in (["announce", "cli.ticked", "-d", "{}"], ["sweep"]):
        done = spooled_shop.run(*command)
        (said,) = [line for line in done.stderr.splitlines() if line != "imported"]
        assert f"cannot be used: {path} is no folder; move that away" in said
        assert done.returncode == 1
    assert path.read_bytes() == b""


@pytest.mark.parametrize("what", ["the root", "above it", "folder.json", "a segment"])
def test_whatever_of_it_may_not_be_read(what: str, spooled_shop: Shop, spool: Path) -> None:
    (segment,) = spool.glob("*.ndjson")
    above = spooled_shop.folder / "above"
    above.mkdir()
    spool.parent.rename(above / "spool")
    moved = above / "spool" / "oyez.events"
    path = {
        "the root": moved.parent,
        "above it": above,
        "folder.json": moved / "folder.json",
        "a segment": moved / segment.name,
    }[what]
    path.chmod(0)
    for command in (["sweep"], ["listen", "--limit", "9"]):
        done = spooled_shop.run(*command, before=modes_count, OYEZ_SPOOLS=json.dumps([str(moved.parent)]))
        assert done.returncode == 1, done.stderr
        assert str(path if what != "above it" else moved.parent) in done.stderr
        assert "Permission denied; this process is the user" in done.stderr
        assert "Traceback" not in done.stderr
    path.chmod(0o700)
    assert json.loads(spooled_shop.print("spool", "status", str(above), "--json"))[0]["segments"] == 1


def test_what_a_file_system_has_for_itself_is_left_alone(spooled_shop: Shop, spool: Path) -> None:
    found = spool.parent / "lost+found"
    found.mkdir(mode=0)
    assert run(spooled_shop, "listen", "--limit", "9").stdout.startswith("1 handled, 0 remain")


def test_workers_read_on_what_they_know(spooled_shop: Shop, spool: Path) -> None:
    """A folder that appears and may not be read is said once by each of them, and holds up no other."""
    other = spool.parent / "other"
    with spooled_shop.running("listen", before=modes_count) as listening:
        eventually(lambda: listening.said().count("worker started") == 3, timeout=60)
        other.mkdir(mode=0)
        eventually(lambda: listening.said().count(f"{other}: Permission denied") == 3, timeout=60)
        spooled_shop.print("announce", "901", "-d", '{"session_id": "s1"}')
        eventually(lambda: noted(spooled_shop) == ["started"], timeout=60)
        assert listening.end(signal.SIGTERM) == 0
    assert listening.said().count("Permission denied") == 3


def noted(shop: Shop) -> list[str]:
    with sqlite3.connect(shop.folder / "oyez.db") as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'noted'").fetchone():
            return []
        return [what for (what,) in db.execute("SELECT what FROM noted")]
