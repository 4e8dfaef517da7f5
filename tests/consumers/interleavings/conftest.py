"""A theatre: PostgreSQL, with actors that are stepped. A shop: either database, one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consumers.interleavings.shop import Clock, Shop, create, empty
from oyez.consumers import Application, Handlers
from oyez.consumers.database import make_engine
from support.stepping import Theatre


@pytest.fixture
def theatre(postgres: str) -> Iterator[Theatre]:
    """Actors on a fresh PostgreSQL database that has the tables."""
    opened = Theatre(postgres)
    create(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def opened(database: str) -> Iterator[Callable[..., Shop]]:
    """Opens a shop with some handlers, on empty tables, of each kind of database in turn."""
    engine = make_engine(database)
    create(engine)

    def open_shop(on: Handlers, **said: Any) -> Shop:
        empty(engine)
        return Shop(Application(on), engine, clock=Clock(), **said)

    yield open_shop
    engine.dispose()
