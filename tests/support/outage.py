"""A database of a real server that takes no connections for a while, and ends those that it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url

from .services import execute


class Outage:
    """Begins and ends when a test says so."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._name = address.database
        self._server = address.set(database="postgres").render_as_string(hide_password=False)
        self.is_on = False

    def begin(self) -> None:
        self.is_on = True
        execute(self._server, f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS false')
        execute(
            self._server,
            f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{self._name}'",
        )

    def end(self) -> None:
        execute(self._server, f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS true')
        self.is_on = False


@contextmanager
def outages_of(url: str) -> Iterator[Outage]:
    """One that has ended when the block does."""
    outage = Outage(url)
    try:
        yield outage
    finally:
        outage.end()
