"""A explorer: PostgreSQL, with actors that are stepped. A shop: either database, one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from consumers.interleavings.shop import Clock, Shop, create, empty
from oyez.consumers import Application, Handlers
from oyez.consumers.database import make_engine
from support.services import fresh_database
from support.stepping import Explorer


@pytest.fixture(scope="module")
def _explorer(postgres_server: str) -> Iterator[Explorer]:
    with fresh_database(postgres_server) as url:
        made = Explorer(url)
        create(made.engine)
        yield made
        made.close()


@pytest.fixture
def explorer(_explorer: Explorer) -> Explorer:
    """Actors on a PostgreSQL database with empty tables."""
    empty(_explorer.engine)
    return _explorer


@pytest.fixture(scope="module")
def postgres_engine(_explorer: Explorer) -> Engine:
    """A PostgreSQL database that has the tables."""
    return _explorer.engine


@pytest.fixture(scope="module")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A SQLite file that has the tables."""
    made = make_engine(f"sqlite:///{tmp_path_factory.mktemp('shop') / 'oyez.db'}")
    create(made)
    yield made
    made.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest) -> Callable[..., Shop]:
    """Opens a shop with some handlers, on empty tables, of each kind of database in turn."""
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")

    def open_shop(on: Handlers, **said: Any) -> Shop:
        empty(engine)
        return Shop(Application(on), engine, clock=Clock(), **said)

    return open_shop
