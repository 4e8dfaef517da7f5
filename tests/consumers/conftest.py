"""Pipelines, closed when their test ends."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from consumers.handler_files import event_folder
from consumers.handler_files.event_folder import Folder
from consumers.inline.inline_pipeline import Inline, Make
from consumers.partitions.moved_positions import PARTITIONS
from consumers.pipeline import TOPIC, Pipeline, Placed, Play, empty, note, prepare
from consumers.run.bounded_passes import Listen
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
def pipeline_postgres(prepared_postgres: str) -> str:
    """The URL of a PostgreSQL database with empty tables."""
    empty(prepared_postgres)
    return prepared_postgres


@pytest.fixture
def pipeline_sqlite(prepared_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a SQLite file with empty tables."""
    file = shutil.copy(prepared_sqlite, tmp_path / "pipeline.db")
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgres"])
def pipeline_database(request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables, of each kind in turn."""
    url: str = request.getfixturevalue(f"pipeline_{request.param}")
    return url


@pytest.fixture
def play(pipeline_database: str) -> Iterator[Play]:
    """Makes pipelines on one database, of each kind in turn."""
    pipelines: list[Pipeline] = []

    def make(on: Handlers, **said: Any) -> Pipeline:
        pipelines.append(Pipeline(pipeline_database, on, **said))
        return pipelines[-1]

    yield make
    for pipeline in pipelines:
        pipeline.close()


@pytest.fixture
def moved_pipeline(play: Play) -> Callable[..., Pipeline]:
    """A pipeline with three partitions whose worker has started, in a group with this promise."""

    def make(promise: Promise = "exactly-once", **said: Any) -> Pipeline:
        on = Handlers("shop", promises={"placed": promise})

        @on(Placed, order="none")
        def noted(events: list[Placed], db: Connection) -> None:
            note(db, "noted", *(one.n for one in events))

        pipeline = play(on, **said)
        pipeline.broker.add_partitions(TOPIC, PARTITIONS)
        pipeline.run()
        return pipeline

    return make


@pytest.fixture
def inline(pipeline_database: str) -> Iterator[Make]:
    """Makes inline pipelines on one database, of each kind in turn."""
    made: list[Inline] = []

    def make(on: Handlers, **said: Any) -> Inline:
        made.append(Inline(pipeline_database, on, **said))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder for event files; what was run of them is forgotten afterwards."""
    event_folder.seen.clear()
    yield Folder(tmp_path / "files")
    for name in [name for name in sys.modules if name.startswith("oyez_events.")]:
        del sys.modules[name]


@pytest.fixture
def listen(play: Play, pipeline_database: str) -> Listen:
    """One pass over the groups of a pipeline, whose own workers have left."""

    def run(pipeline: Pipeline, limit: int, *groups: str, **said: object) -> Listened:
        settings = ListenSettings(**({"database": pipeline_database, "topic": TOPIC} | said))
        names = groups or tuple(pipeline.application.groups)
        chosen = [pipeline.application.group(name) for name in names]
        return one_pass(
            chosen, settings, limit, log_for=lambda group, _s, _e: pipeline.logs[group.name].join()
        )

    return run
