"""The broker and the database of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compatibility.cells import Cell
from compatibility.environments import NotToBeHad
from oyez.consumers.dev import Kafka, Postgres
from oyez.consumers.dev.jars import KAFKA
from oyez.consumers.dev.postgres_files import VERSION
from oyez.consumers.testing.real_services import UNSAFE

DEBIANS = Path("/usr/lib/postgresql")


def programs(major: int) -> Path | None:
    """Where PostgreSQL's programs of this version are; None: those that Oyez brings."""
    if major in (0, VERSION):
        return None
    place = DEBIANS / str(major) / "bin"
    if not (place / "postgres").exists():
        raise NotToBeHad(f"no {place}: install postgresql-{major}")
    return place


@contextmanager
def services(cell: Cell) -> Iterator[dict[str, str]]:
    """Both run; what tests find them by in the environment."""
    folder = programs(cell.postgres)
    with Kafka(jars=cell.jars or KAFKA) as broker, Postgres(programs=folder, settings=UNSAFE) as server:
        yield {"OYEZ_TEST_KAFKA": broker.bootstrap, "OYEZ_TEST_POSTGRES": server.url()}
