"""PostgreSQL, with actors that are stepped; and a shop on either database, one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from consumers.interleavings.shop import Clock, Shop, create, empty
from oyez.consumers import Application, Handlers
from oyez.consumers.database import make_engine
from oyez.consumers.database.dialects import postgresql
from support.services import fresh_database
from support.stepping import SteppedDatabase


@pytest.fixture(scope="module")
def _stepped_database(postgres_server: str) -> Iterator[SteppedDatabase]:
    with fresh_database(postgres_server) as url, pytest.MonkeyPatch.context() as patch:
        # What the driver is given directly nobody could step before: the same statements, the ordinary way.
        patch.setattr(postgresql, "ask_directly", lambda *_: None)
        made = SteppedDatabase(url)
        create(made.engine)
        yield made
        made.close()


@pytest.fixture
def stepped_database(_stepped_database: SteppedDatabase) -> SteppedDatabase:
    """Actors on a PostgreSQL database with empty tables."""
    empty(_stepped_database.engine)
    return _stepped_database


@pytest.fixture(scope="module")
def postgres_engine(_stepped_database: SteppedDatabase) -> Engine:
    """A PostgreSQL database that has the tables."""
    return _stepped_database.engine


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
