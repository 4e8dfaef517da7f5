"""One worker that stops itself with SIGSTOP, its records in hand, once: python -m integration.freezer APP FILE

It does so when FILE exists, and removes it first.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from integration.shop import ticker
from oyez.consumers import ListenSettings
from oyez.consumers.core.record import Record
from oyez.consumers.logs.log import Log
from oyez.consumers.run.assembly import log_for, make_worker
from oyez.consumers.run.engines import journaling_engine_from


class Freezing:
    """A log that freezes its process after it has read something."""

    def __init__(self, log: Log, trap: Path) -> None:
        self._log = log
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        records = self._log.poll(limit, wait)
        if records and self._trap.exists():
            self._trap.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        return records


def main(app: str, trap: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(message)s")
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    settings = ListenSettings()
    (group,) = ticker(app).groups.values()
    engine = journaling_engine_from(settings)
    source = Freezing(log_for(group, settings, engine), Path(trap))
    worker = make_worker(group, settings, engine=engine, source=cast("Log", source))
    worker.run(lambda: bool(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
