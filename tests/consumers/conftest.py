"""Stages, closed when their test ends."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from consumers import filing
from consumers.filing import Folder
from consumers.inline_stage import Inline, Make
from consumers.passes import Listen
from consumers.shelves import PARTITIONS
from consumers.stage import TOPIC, Placed, Play, Stage, empty, note, prepare
from oyez.consumers import Handlers, ListenSettings
from oyez.consumers.handlers.registry import Promise
from oyez.consumers.run.bounded_pass import one_pass
from oyez.consumers.run.listened import Listened
from support.services import fresh_database


@pytest.fixture(scope="session")
def prepared_postgres(postgres_server: str) -> Iterator[str]:
    """One database with all tables: making one for each test takes longer than the tests."""
    with fresh_database(postgres_server) as url:
        prepare(url)
        yield url


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prepared") / "oyez.db"
    prepare(f"sqlite:///{file}")
    return file


@pytest.fixture
def stage_postgres(prepared_postgres: str) -> str:
    """The URL of a PostgreSQL database with empty tables."""
    empty(prepared_postgres)
    return prepared_postgres


@pytest.fixture
def stage_sqlite(prepared_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a SQLite file with empty tables."""
    file = shutil.copy(prepared_sqlite, tmp_path / "stage.db")
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgres"])
def stage_database(request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables, of each kind in turn."""
    url: str = request.getfixturevalue(f"stage_{request.param}")
    return url


@pytest.fixture
def play(stage_database: str) -> Iterator[Play]:
    """Makes stages on one database, of each kind in turn."""
    stages: list[Stage] = []

    def make(on: Handlers, **said: Any) -> Stage:
        stages.append(Stage(stage_database, on, **said))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def shelf(play: Play) -> Callable[..., Stage]:
    """A stage with three partitions whose worker has started, in a group with this promise."""

    def make(promise: Promise = "exactly-once", **said: Any) -> Stage:
        on = Handlers("shop", promises={"placed": promise})

        @on(Placed, order="none")
        def noted(events: list[Placed], db: Connection) -> None:
            note(db, "noted", *(one.n for one in events))

        stage = play(on, **said)
        stage.broker.add_partitions(TOPIC, PARTITIONS)
        stage.run()
        return stage

    return make


@pytest.fixture
def inline(stage_database: str) -> Iterator[Make]:
    """Makes inline stages on one database, of each kind in turn."""
    made: list[Inline] = []

    def make(on: Handlers, **said: Any) -> Inline:
        made.append(Inline(stage_database, on, **said))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder for event files; what was run of them is forgotten afterwards."""
    filing.seen.clear()
    yield Folder(tmp_path / "files")
    for name in [name for name in sys.modules if name.startswith("oyez_events.")]:
        del sys.modules[name]


@pytest.fixture
def listen(play: Play, stage_database: str) -> Listen:
    """One pass over the groups of a stage, whose own workers have left."""

    def run(stage: Stage, limit: int, *groups: str, **said: object) -> Listened:
        settings = ListenSettings(**({"database": stage_database, "topic": TOPIC} | said))
        names = groups or tuple(stage.application.groups)
        chosen = [stage.application.group(name) for name in names]
        return one_pass(chosen, settings, limit, log_for=lambda group, _s, _e: stage.logs[group.name].join())

    return run
