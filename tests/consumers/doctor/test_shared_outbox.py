"""Inline takes what it declares out of the outbox: another application that handles it too does not get it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from oyez.consumers import Application, Handlers
from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.doctor.checks.shared_outbox import look
from oyez.consumers.doctor.setup import Setup
from oyez.consumers.handlers.recorded_handlers import register
from oyez.consumers.settings import ListenSettings
from oyez.schemas import Catalogue, Event, Signal

known, elsewhere = Catalogue(), Catalogue()


class Placed(Signal, name="placed.shared", key="k", catalogue=known):
    k: str


class Billed(Signal, name="billed.shared", key="k", catalogue=elsewhere):
    k: str


def handling(app: str, signal: type[Signal], signals: Catalogue) -> Application:
    on = Handlers(app)

    @on(signal)
    def handle(event: Event[Any]) -> None: ...

    return Application(on, signals)


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    made = make_engine(sqlite)
    upgrade(made)
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("theirs", "transport", "state"),
    [
        (handling("billing", Placed, known), "inline", "warning"),
        (handling("billing", Placed, known), "spool", "ok"),
        (handling("billing", Billed, elsewhere), "inline", "ok"),
        (handling("shop", Placed, known), "inline", "ok"),
    ],
)
def test_only_what_both_know_is_taken_from_the_other(
    engine: Engine, sqlite: str, theirs: Application, transport: str, state: str
) -> None:
    with engine.begin() as db:
        register(db, theirs, 0.0)
    setup = Setup(
        [],
        ListenSettings(database=sqlite, transport=transport),
        handling("shop", Placed, known),
        wall=lambda: 0.0,
    )
    (found,) = look(setup)
    setup.close()
    assert found.state == state, found
    assert ("billing.placed.shared" in found.says) == (state == "warning")
