"""What a handler sets for its transaction is gone after its call: for Oyez, and for the next handler."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Inline
from consumers.pipeline import Opened, Pipeline, Placed, effects, note, placed
from oyez.consumers import HandlerAnnouncer, Handlers

EVENTS = range(6)
SEEN = text(
    "SELECT current_setting('search_path'), current_setting('statement_timeout'), current_user, "
    "nullif(current_setting('shop.t', true), '')"
)


@pytest.fixture
def tenants(pipeline_postgres: str) -> Iterator[Engine]:
    """A schema for a tenant with a table like ours, and a role that may write nothing of Oyez's."""
    engine = create_engine(pipeline_postgres)
    role = f"tenant_{engine.url.database}"
    with engine.begin() as db:
        db.execute(text("CREATE SCHEMA tenant"))
        db.execute(text("CREATE TABLE tenant.effect (LIKE public.effect INCLUDING ALL)"))
        db.execute(text(f"CREATE ROLE {role}"))
        db.execute(text(f"GRANT ALL ON SCHEMA tenant, public TO {role}"))
        db.execute(text(f"GRANT ALL ON tenant.effect, public.effect TO {role}"))
        db.execute(text(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"))
        db.execute(
            text(
                f"CREATE FUNCTION be_tenant() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
                f"PERFORM set_config('search_path', 'tenant', true); SET LOCAL ROLE {role}; END $$"
            )
        )
    yield engine
    with engine.begin() as db:
        db.execute(text("DROP FUNCTION be_tenant; DROP SCHEMA tenant CASCADE"))
        db.execute(text(f"DROP OWNED BY {role}; DROP ROLE {role}"))
    engine.dispose()


WAYS = {
    "path": text("SET LOCAL search_path = tenant"),
    "session path": text("SET search_path = tenant"),
    "commented": text("/* a tenant */ -- its own\n SET LOCAL search_path TO tenant"),
    "two": text("SELECT 1; SET LOCAL search_path = tenant"),
    "timeout": text("SET LOCAL statement_timeout = '1ms'"),
    "function": select(func.set_config("search_path", "tenant", True)),
    "own function": text("SELECT be_tenant()"),
    "own function, built": func.be_tenant(),
    "own setting": text("SELECT set_config('shop.t', 'seven', true)"),
    "map": None,
}


@pytest.mark.parametrize("way", [*WAYS, "role", "session role"])
@pytest.mark.parametrize("failing", [False, True])
def test_it_is_gone_after_the_call(tenants: Engine, pipeline_postgres: str, way: str, failing: bool) -> None:
    on, seen, failed = Handlers("shop"), list[object](), list[int]()
    role = f"tenant_{tenants.url.database}"
    roles = {"role": text(f"SET LOCAL ROLE {role}"), "session role": text(f"SET ROLE {role}")}
    said = {**WAYS, **roles}[way]

    @on(Placed, group="both", name="first")
    def first(event: Placed, db: Session, announcer: HandlerAnnouncer) -> None:
        if said is None:
            db.connection().execution_options(schema_translate_map={None: "tenant"})
        else:
            db.execute(said)
        if "timeout" not in way:
            note(db, "first", event.n)
        announcer.announce(Opened(s=f"s{event.n}"))
        if failing and event.n == 3 and not failed:
            failed.append(3)
            raise ValueError("once")

    @on(Placed, group="both", name="second")
    def second(event: Placed, db: Connection) -> None:
        seen.append(tuple(db.execute(SEEN).one()))
        note(db, "second", event.n)

    pipeline = Pipeline(pipeline_postgres, on)
    if "role" in way or "own function" in way:  # the role may not write our outbox
        with tenants.begin() as db:
            db.execute(text(f"GRANT INSERT ON public.oyez_outbox TO {role}"))
    pipeline.handle(*placed(EVENTS))
    pipeline.later()
    assert sorted(pipeline.effects("second")) == list(EVENTS)
    assert pipeline.is_clean()
    usual = ('"$user", public', "0", tenants.url.username, None)
    assert set(seen) == {usual}
    assert len(pipeline.rows("outbox")) == len(EVENTS)
    with pipeline.engine.connect() as db:
        assert tuple(db.execute(SEEN).one()) == usual
    pipeline.close()


def test_a_transaction_that_it_makes_read_only_ends_with_its_savepoint(
    tenants: Engine, pipeline_postgres: str
) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        if event.n == 2:
            db.execute(text("SET TRANSACTION READ ONLY"))

    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(*placed(EVENTS))
    assert pipeline.effects() == list(EVENTS)
    assert pipeline.is_clean()
    pipeline.close()


def test_a_callers_own_settings_stay(tenants: Engine, pipeline_postgres: str) -> None:
    """Inline, in a caller's transaction: the handler's are gone, the caller's are not."""
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        db.execute(text("SET LOCAL search_path = public"))
        db.execute(text("SET LOCAL statement_timeout = '5s'"))
        note(db, "place", event.n)

    inline = Inline(pipeline_postgres, on)
    mapped = tenants.execution_options(schema_translate_map={None: "tenant", "there": "public"})
    with mapped.connect() as db:
        db.execute(text("SET LOCAL search_path = tenant"))
        inline.announcer.announce(Placed(n=1), db=db)
        theirs = db.get_execution_options()["schema_translate_map"]
        assert {**theirs, "_none": "tenant"} == {None: "tenant", "there": "public", "_none": "tenant"}
        found = db.execute(
            text("SELECT current_setting('search_path'), current_setting('statement_timeout')")
        ).one()
        assert tuple(found) == ("tenant", "0")
        assert db.execute(select(func.count()).select_from(effects)).scalar_one() == 1
        db.commit()
        assert db.execute(text("SHOW search_path")).scalar_one() == '"$user", public'
    assert inline.is_clean()
    inline.close()
