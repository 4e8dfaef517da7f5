"""Deliveries that wait for what nobody handles wait for ever, unless the application's own tables answer for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, insert

from consumers.database.large_table import row
from oyez.consumers import Application, Handlers
from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.database.tables import parked
from oyez.consumers.doctor.checks.prerequisites import look
from oyez.consumers.doctor.setup import Setup
from oyez.consumers.settings import ListenSettings
from oyez.schemas import Catalogue, Event, Signal

known = Catalogue()


class Opened(Signal, name="opened", key="k", subject="k", catalogue=known):
    k: str


class Viewed(Signal, name="viewed", key="k", catalogue=known):
    k: str


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    """Of a database in which something waits for `Opened`."""
    made = make_engine(sqlite)
    upgrade(made)
    with made.begin() as db:
        db.execute(insert(parked), [row("view", 0, "k", wait_signal="opened", wait_subject="s1")])
    yield made
    made.dispose()


@pytest.mark.parametrize(("is_answered", "state"), [(False, "wrong"), (True, "ok")])
def test_what_the_application_itself_answers_is_met_though_nobody_handles_it(
    engine: Engine, sqlite: str, is_answered: bool, state: str
) -> None:
    on = Handlers("shop")

    @on(Viewed)
    def view(event: Event[Viewed]) -> None: ...

    if is_answered:

        @on.met_by(Opened)
        def opened(db: Connection, subjects: list[str]) -> list[str]:
            return subjects

    setup = Setup([], ListenSettings(database=sqlite), Application(on, known), wall=lambda: 0.0)
    (found,) = look(setup)
    setup.close()
    assert found.state == state, found
