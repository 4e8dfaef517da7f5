"""PgBouncer between Oyez and PostgreSQL, the real one, in both of its modes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Viewed, note, placed, prepare
from oyez.consumers import HandlerAnnouncer, Handlers, ListenSettings
from oyez.consumers.database import Database, DatabaseError, make_engine
from oyez.consumers.run.connections import connections
from support.pgbouncer import PgBouncer, pgbouncer

EVENTS = range(40)
MODES = ["transaction", "session"]


@pytest.fixture(params=MODES)
def pooler(request: pytest.FixtureRequest, postgres: str) -> Iterator[PgBouncer]:
    """In transaction mode all share one connection."""
    prepare(postgres)
    size = {"transaction": "1", "session": "4"}[request.param]
    with pgbouncer(postgres, request.param, default_pool_size=size) as made:
        yield made


def shop(app: str) -> Handlers:
    on = Handlers(app)

    @on(Opened)
    def open_(event: Opened, db: Connection, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Placed(n=1000 + event.n))
        note(db, f"{app} open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Session) -> None:
        note(db, f"{app} view", event.n)

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        note(db, f"{app} place", event.n)

    return on


@pytest.mark.parametrize(
    "said", ["", "?prepare_threshold=0", "?prepare_threshold=3", "?prepare_threshold=none"]
)
def test_workers_work_behind_it(pooler: PgBouncer, said: str) -> None:
    """Two applications by turns: a statement that one had prepared would be in the other's way."""
    pipelines = [Pipeline(f"{pooler.url}{said}", shop(app)) for app in ("shop", "store")]
    for n in (0, 1):
        for pipeline in pipelines:
            pipeline.handle(Viewed(n=n, s=f"s{n}"), *placed(EVENTS))
            for number in EVENTS:
                pipeline.handle(Placed(n=100 + number))
            pipeline.handle(Opened(n=n, s=f"s{n}"))
    for pipeline in pipelines:
        app = pipeline.application.name
        assert sorted(pipeline.effects(f"{app} place")) == sorted(2 * [*EVENTS, *(100 + n for n in EVENTS)])
        assert pipeline.effects(f"{app} view") == [0, 1]
        assert pipeline.is_clean()
        pipeline.close()


@pytest.mark.parametrize("beside", [False, True])
def test_what_is_released_is_heard_beside_it_or_looked_for(
    pooler: PgBouncer, postgres: str, beside: bool
) -> None:
    pipeline = Pipeline(
        pooler.url, shop("shop"), database_direct=postgres if beside else None, sweep_every=1e6
    )
    pipeline.handle(Viewed(n=1, s="one"))
    pipeline.handle(Opened(n=2, s="one"))
    pipeline.clock.now += 1.0
    pipeline.run()
    assert pipeline.effects("shop view") == [1]
    pipeline.close()


def test_nothing_is_left_behind_for_others(pooler: PgBouncer) -> None:
    """What Oyez sets for its own sessions would be set for whoever is lent the connection next."""
    engine = make_engine(pooler.url)
    with engine.connect() as db:
        assert db.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "0"
        assert db.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() == 0
    engine.dispose()


def test_it_is_known_at_the_start(pooler: PgBouncer, postgres: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "oyez.listen")
    behind, beside = make_engine(pooler.url), make_engine(postgres)
    assert connections(Database(behind), 6, direct=False).hears is False
    assert connections(Database(behind), 6, direct=True).hears is True
    assert connections(Database(beside), 6, direct=False).hears is True
    assert "connection pooler" in caplog.text
    assert "6 workers need 12 connections" in caplog.text
    behind.dispose()
    beside.dispose()


def test_a_threshold_that_is_none_is_one_line(postgres: str) -> None:
    with pytest.raises(DatabaseError, match="prepare_threshold=often; write a number") as caught:
        make_engine(f"{postgres}?prepare_threshold=often")
    assert "\n" not in str(caught.value)


def test_a_threshold_is_kept_where_there_is_no_pooler(postgres: str) -> None:
    for said, kept in (("7", 7), ("0", None), ("none", None)):
        engine = make_engine(f"{postgres}?prepare_threshold={said}")
        with engine.connect() as db:
            assert db.connection.dbapi_connection.prepare_threshold == kept  # type: ignore[union-attr]
        engine.dispose()


def test_the_direct_address_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_DATABASE_DIRECT", "postgresql+psycopg://there")
    assert ListenSettings().database_direct == "postgresql+psycopg://there"
