"""Into which schema an application's transaction writes what it announces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from oyez.producers import Announcer, MemoryBroker, MemoryTransport, NotAnnounced, outbox
from producers.shop import Ticked, known
from support.tables import knowing_the_tables

Announcing = Callable[..., Announcer]


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    """An application's own, with the outbox where it usually is and in schemas, and an empty schema for a tenant."""
    engine = create_engine(postgres)
    outbox.table.metadata.create_all(knowing_the_tables(engine))
    with engine.begin() as db:
        for schema in ("own", "moved"):
            db.execute(text(f"CREATE SCHEMA {schema}"))
            db.execute(text(f"CREATE TABLE {schema}.oyez_outbox (LIKE public.oyez_outbox INCLUDING ALL)"))
        db.execute(text("CREATE SCHEMA tenant"))
    yield engine
    engine.dispose()


@pytest.fixture
def announcing() -> Iterator[Announcing]:
    made: list[Announcer] = []

    def make(schema: str | None = None) -> Announcer:
        transport = MemoryTransport(MemoryBroker())
        made.append(Announcer(transport, source="web", catalogue=known, schema=schema))
        return made[-1]

    yield make
    for announcer in made:
        announcer.close()


def written(engine: Engine) -> dict[str, int]:
    with engine.connect() as db:
        counts = {
            schema: db.execute(text(f"SELECT count(*) FROM {schema}.oyez_outbox")).scalar_one()
            for schema in ("public", "own", "moved")
        }
    return {schema: count for schema, count in counts.items() if count}


@pytest.mark.parametrize("schema", [None, "own"])
@pytest.mark.parametrize("said", ["SET LOCAL search_path = tenant", "SET LOCAL search_path = ''"])
def test_a_search_path_of_the_transaction_does_not_matter(
    engine: Engine, announcing: Announcing, schema: str | None, said: str
) -> None:
    with Session(engine) as db:
        db.execute(text(said))
        announcing(schema).announce(Ticked(), db=db)
        db.commit()
    assert written(engine) == {schema or "public": 1}


@pytest.mark.parametrize(
    ("theirs", "schema", "where"),
    [
        ({None: "tenant"}, "own", "own"),  # it is not the schema of tables without one
        ({"own": "moved"}, "own", "moved"),
        ({None: "moved"}, None, "moved"),
        ({"own": None}, "own", "public"),
    ],
)
def test_the_callers_map_of_schemas_is_honoured(
    engine: Engine, announcing: Announcing, theirs: dict[str | None, Any], schema: str | None, where: str
) -> None:
    mapped = engine.execution_options(schema_translate_map=theirs)
    with Session(mapped) as db:
        announcing(schema).announce(Ticked(), db=db)
        assert db.connection().get_execution_options()["schema_translate_map"] == theirs
        db.commit()
    assert written(engine) == {where: 1}


def test_a_map_that_leads_nowhere_is_named(engine: Engine, announcing: Announcing) -> None:
    mapped = engine.execution_options(schema_translate_map={None: "tenant"})
    with Session(mapped) as db, pytest.raises(NotAnnounced) as caught:
        announcing().announce(Ticked(), db=db)
    said = str(caught.value)
    assert "has no table tenant.oyez_outbox" in said
    assert "OYEZ_SCHEMA" in said
    assert "\n" not in said


def test_a_role_that_may_not_is_told_what_it_needs(engine: Engine, announcing: Announcing) -> None:
    role = f"tenant_of_{engine.url.database}"
    with engine.begin() as db:
        db.execute(text(f"CREATE ROLE {role}"))
    with Session(engine) as db:
        db.execute(text(f"SET LOCAL ROLE {role}"))
        with pytest.raises(NotAnnounced) as caught:
            announcing("own").announce(Ticked(), db=db)
    said = str(caught.value)
    for part in ("permission denied", "USAGE on the schema own", "INSERT on own.oyez_outbox", "sequence"):
        assert part in said
    with engine.begin() as db:
        db.execute(text(f"GRANT USAGE ON SCHEMA own TO {role}"))
        db.execute(text(f"GRANT INSERT ON own.oyez_outbox TO {role}"))
        db.execute(text(f"GRANT USAGE ON SEQUENCE public.oyez_outbox_id_seq TO {role}"))
    with Session(engine) as db:
        db.execute(text(f"SET LOCAL ROLE {role}"))
        announcing("own").announce(Ticked(), db=db)
        db.commit()
    assert written(engine) == {"own": 1}
    with engine.begin() as db:
        db.execute(text(f"DROP OWNED BY {role}"))
        db.execute(text(f"DROP ROLE {role}"))
