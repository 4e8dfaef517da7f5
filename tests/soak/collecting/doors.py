"""Two collectors that run: one stores in files on a small disk, and ships them; one waits for the broker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from integration.rows.running_app import RunningApp
from oyez.consumers.dev.ports import answers, free_port
from soak.collecting.clients import KEY, ORIGIN, SITE, SOURCE
from support.processes import Program
from support.waiting import eventually

SIGNALS = ["soak.posted"]
SETTINGS = {
    "OYEZ_COLLECT_SITES": json.dumps({SITE: {"origins": [ORIGIN], "signals": SIGNALS}}),
    "OYEZ_COLLECT_KEYS": json.dumps({KEY: {"sources": [SOURCE], "signals": SIGNALS}}),
    "OYEZ_COLLECT_ADDRESS_RATE": "1000000",
    "OYEZ_COLLECT_SITE_RATE": "5000",  # some are told that it is too much
    "OYEZ_ANNOUNCE_TIMEOUT": "1",
    "OYEZ_DELIVERY_TIMEOUT": "4",
    "OYEZ_FLUSH_TIMEOUT": "60",
}


class Door:
    """`oyez collect`, begun again when it has ended."""

    def __init__(self, app: RunningApp, name: str, settings: Mapping[str, str]) -> None:
        self._app = app
        self._name = name
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._env = {**app.env, **SETTINGS, **settings, "OYEZ_SOURCE": f"door-{name}"}
        self._number = 0
        self._program = self._started()

    def kill(self) -> None:
        """SIGKILL, and a new one."""
        self._program.end()
        self._program = self._started()

    def restart(self) -> None:
        """SIGTERM, and a new one."""
        self.stop()
        self._program = self._started()

    def stop(self) -> None:
        """SIGTERM. It ends with 1 if what it has stored was not shipped in time: that is on the disk."""
        code = self._program.stop()
        assert code in (0, 1), self._program.output()[-2_000:]

    def end(self) -> None:
        self._program.end()

    def _started(self) -> Program:
        self._number += 1
        log = self._app.folder / f"collect-{self._name}-{self._number}.log"
        asked = ("collect", "--port", str(self._port))
        program = Program(log, "oyez.consumers.cli", *asked, env=self._env)
        eventually(lambda: answers(self._port) or program.code() is not None)
        assert program.code() is None, program.output()
        return program


def doors(app: RunningApp, spool: Path) -> list[Door]:
    """Both."""
    stored = {"OYEZ_DURABILITY": "spooled", "OYEZ_SPOOL": str(spool)}
    return [Door(app, "files", stored), Door(app, "broker", {"OYEZ_DURABILITY": "acked"})]
