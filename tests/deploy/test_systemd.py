"""deploy/systemd is what systemd takes, and systemd is told what is so."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oyez.consumers.health.beat import Beat, as_bytes, born_at
from oyez.consumers.health.judging import problems, problems_in
from oyez.consumers.health.systemd import systemd_from
from support.debian import unpacked
from support.processes import Program
from support.waiting import eventually

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
OYEZ = str(Path(sys.executable).with_name("oyez"))
WATCHED = "WATCHDOG=1"


def verify(folder: Path) -> str:
    """What `systemd-analyze verify` has to say of the units; nothing, if all is well."""
    program, env = shutil.which("systemd-analyze"), None
    if program is None:
        found = unpacked("systemd")
        program, env = str(found.file("usr/bin/systemd-analyze")), found.environment
    units = [str(unit) for unit in sorted(folder.iterdir())]
    asked = [program, "verify", "--man=no", *units]
    done = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, as for a machine where Oyez is installed as it is here."""
    folder = tmp_path / "units"
    folder.mkdir()
    for unit in FOLDER.iterdir():
        name = unit.name.replace("@.", "@shop.page.viewed.")
        (folder / name).write_text(unit.read_text().replace("/opt/oyez/bin/oyez", OYEZ))
    return folder


def test_the_units_are_what_systemd_takes(units: Path) -> None:
    assert len(list(units.iterdir())) == 6
    assert verify(units) == ""


def test_a_migration_that_fails_at_first_keeps_nobody_from_starting(units: Path) -> None:
    """systemd does not start again what has failed for a unit that it requires."""
    for unit in units.glob("*.service"):
        said = unit.read_text()
        assert "Requires=" not in said
        if "migrate" in unit.name:
            assert "Restart=on-failure" in said
        else:
            (wants,) = [line for line in said.splitlines() if line.startswith("Wants=")]
            assert "oyez-migrate.service" in wants


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [("WatchdogSec=60", "WatchDogSec=60", "Unknown key"), (OYEZ, "/nowhere/oyez", "/nowhere/oyez")],
)
def test_what_is_wrong_in_a_unit_is_found(units: Path, before: str, after: str, said: str) -> None:
    unit = units / "oyez-listen@shop.page.viewed.service"
    assert before in unit.read_text()
    unit.write_text(unit.read_text().replace(before, after))
    assert said in verify(units)


class ToldInsteadOfSystemd:
    """A socket as systemd's, which keeps what it is told: here systemd is not the first process."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)
        self.said: list[str] = []

    def lines(self) -> list[str]:
        """All that was told so far."""
        while True:
            try:
                self.said += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[ToldInsteadOfSystemd]:
    made = ToldInsteadOfSystemd(tmp_path / "notify")
    yield made
    made.close()


SHOP = """
import time
from pathlib import Path
from oyez.consumers import Handlers
from oyez.schemas import Signal

class Ticked(Signal, name="ticked"): ...

on = Handlers("clocks", promises={"ticked": "at-least-once"})

@on(Ticked)
def tick(event: Ticked) -> None:
    while not Path("go").exists():
        time.sleep(0.1)
"""


def test_systemd_is_told_until_a_worker_is_stuck_and_again_when_it_gets_on(
    told: ToldInsteadOfSystemd, tmp_path: Path
) -> None:
    (tmp_path / "clocks.py").write_text(SHOP)
    env = {
        "OYEZ_APP": "clocks:on",
        "OYEZ_TRANSPORT": "spool",
        "OYEZ_DATABASE": f"sqlite:///{tmp_path}/oyez.db",
        "OYEZ_HEALTH": str(tmp_path / "health"),
        "OYEZ_BUDGET": "1",
        "OYEZ_STUCK_AFTER": "10",
    }

    def oyez(name: str, *arguments: str, **more: str) -> Program:
        return Program(tmp_path / f"{name}.log", "oyez.consumers.cli", *arguments, env={**env, **more})

    assert oyez("db", "db", "upgrade").wait() == 0
    assert oyez("first", "announce", "ticked", "-d", "{}").wait() == 0
    (tmp_path / "go").touch()
    listening = oyez("listen", "listen", NOTIFY_SOCKET=told.address, WATCHDOG_USEC="60000000")
    eventually(lambda: "READY=1" in told.lines() and WATCHED in told.lines(), 90)
    assert "STATUS=all is well" in told.lines()
    (tmp_path / "go").unlink()
    assert oyez("second", "announce", "ticked", "-d", "{}").wait() == 0
    stuck = "STATUS=clocks.ticked[0]: a handler has not returned for"
    eventually(lambda: any(line.startswith(stuck) for line in told.lines()), 90)
    told.said.clear()
    eventually(lambda: sum(line.startswith(stuck) for line in told.lines()) > 2, 90)
    assert WATCHED not in told.lines()
    (tmp_path / "go").touch()
    eventually(lambda: WATCHED in told.lines() and "STATUS=all is well" in told.lines(), 90)
    assert "READY=1" not in told.lines(), "once"
    assert listening.stop() == 0, listening.output()
    assert told.lines()[-1] == "STOPPING=1"


def test_what_a_service_starts_is_not_the_service() -> None:
    environment = {"NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    systemd = systemd_from(environment)
    assert environment == {"HOME": "/"}
    systemd.tell([])  # nobody listens


FINE = Beat("w[0]", os.getpid(), born_at(os.getpid()), 120.0, 0.0, 0.0, 0.0, "working", 0.0)
NOT_READY = {
    "it does not run yet": FINE._replace(pid=0, born=0, doing="starting", why="it does not run yet"),
    "it starts": FINE._replace(doing="starting"),
    "it joins": FINE._replace(doing="joining"),
    "it joins, and the database is away": FINE._replace(
        doing="joining", waits="the database does not answer"
    ),
    "it joins, and a partition is halted": FINE._replace(
        doing="joining", halted=("t partition 0 is halted",)
    ),
}
READY = {
    "all is well": FINE,
    "a partition is halted": FINE._replace(halted=("t partition 0 is halted",)),
    "the database has gone away": FINE._replace(waits="the database does not answer"),
    "it is stuck": FINE._replace(turned=-500.0, progress=-500.0),
}


@pytest.mark.parametrize("beat", NOT_READY.values(), ids=NOT_READY)
def test_not_ready_before_each_worker_has_begun(beat: Beat, told: ToldInsteadOfSystemd) -> None:
    systemd = systemd_from({"NOTIFY_SOCKET": told.address})
    systemd.tell(list(problems([FINE, beat], 0.0)))
    assert "READY=1" not in told.lines()
    systemd.tell(list(problems([FINE, FINE], 0.0)))
    assert "READY=1" in told.lines()


@pytest.mark.parametrize("beat", READY.values(), ids=READY)
def test_ready_when_each_has_begun_however_it_is(beat: Beat, told: ToldInsteadOfSystemd) -> None:
    """A service that never gets ready is killed, again and again; a new one finds what is halted as it was."""
    systemd_from({"NOTIFY_SOCKET": told.address}).tell(list(problems([FINE, beat], 0.0)))
    assert "READY=1" in told.lines()


def test_one_without_a_heartbeat_and_one_that_stops_are_not_ready(
    told: ToldInsteadOfSystemd, tmp_path: Path
) -> None:
    systemd = systemd_from({"NOTIFY_SOCKET": told.address})
    systemd.tell(problems_in(str(tmp_path / "none"), 0.0))
    (tmp_path / "main").write_bytes(as_bytes(FINE._replace(name="main", doing="stopping")))
    systemd.tell(problems_in(str(tmp_path), 0.0))
    assert "STATUS=main: it was told to stop" in told.lines()
    assert "READY=1" not in told.lines()
