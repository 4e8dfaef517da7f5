"""The dashboard as a server of its own, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from oyez.consumers.dashboard.serving import server
from oyez.consumers.dashboard.settings import DashboardSettings
from oyez.producers.collector.serving import listening

LIMIT = 20.0  # s


class Served:
    """Where it answers, and the application that it is."""

    def __init__(self, app: Any, **bounds: int) -> None:
        self.app = app
        self._server = server(app, DashboardSettings(dashboard_port=0, transport="memory"), **bounds)
        self._thread = threading.Thread(target=self._run)
        self._ready = threading.Event()
        self.address = ""

    def _run(self) -> None:
        with closing(listening("127.0.0.1", 0, "dashboard")) as taken:
            self.address = f"http://127.0.0.1:{taken.getsockname()[1]}"
            self._ready.set()
            self._server.run([taken])

    def start(self) -> None:
        """It accepts connections when this returns."""
        self._thread.start()
        assert self._ready.wait(LIMIT)

    def stop(self) -> None:
        """As at SIGTERM, until it has ended."""
        self._server.should_exit = True
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()


@contextmanager
def served(app: Any, **bounds: int) -> Iterator[Served]:
    found = Served(app, **bounds)
    found.start()
    try:
        yield found
    finally:
        found.stop()
