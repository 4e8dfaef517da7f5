"""The inline transport: the handlers run where the event is announced."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.event import listen
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from consumers.stage import (
    Clock,
    Known,
    Opened,
    Placed,
    Stage,
    Ticked,
    Viewed,
    effects,
    known,
    note,
    one_line,
)
from oyez.consumers import Application, Handlers, ListenSettings, NotReady, Reject, StartError
from oyez.consumers.assembly import sweepers
from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import MigrationNeeded, upgrade
from oyez.consumers.inline import InlineTransport
from oyez.producers import Announcer, NotAnnounced
from oyez.schemas import Signal


class Closed(Known, name="closed.inline", key="k", subject="s", requires={"viewed.inline": "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Seen(Known, name="viewed.inline", key="k", subject="s", requires={Opened: "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Replied(Known, name="reply.inline", key="k", subject="s", requires={"reply.inline": "parent"}):
    k: str = "k1"
    s: str
    parent: str | None = None
    n: int = 0


class Base(DeclarativeBase):
    pass


class Row(Base):
    __table__ = effects


class Inline(Stage):
    """An application announced to inline."""

    def __init__(self, url: str, on: Handlers, engine: Engine | None = None, **said: Any) -> None:
        self.url = url
        self.clock = Clock()
        self.engine = engine or make_engine(url)
        self.application = Application(on, known)
        self.settings = ListenSettings(**({"max_attempts": 5} | said))
        self.workers = {}
        self.transport = InlineTransport(self.application, self.engine, self.settings, clock=self.clock)
        self.announcer = Announcer(self.transport, source="web", catalogue=known)

    def sweep(self, seconds: float = 10_000.0) -> None:
        self.clock.now += seconds
        for table in sweepers(self.application, self.settings, self.engine, self.clock):
            table.sweep(lambda _report: None)


Make = Callable[..., Inline]


@pytest.fixture
def inline(stage_database: str) -> Iterator[Make]:
    made: list[Inline] = []

    def make(on: Handlers, **said: Any) -> Inline:
        made.append(Inline(stage_database, on, **said))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


def doing(on: Handlers, signal: type[Signal], name: str | None = None, **options: Any) -> None:
    """A handler that leaves an effect under its signal's name."""
    name = name or signal.__name__.lower()

    def handle(event: Any, db: Session) -> None:
        note(db, name, event.n)

    on(signal, name=name, **options)(handle)


def names(stage: Stage) -> list[str]:
    with stage.engine.connect() as db:
        return list(db.execute(effects.select().order_by(effects.c.seq)).scalars("handler"))


def shop(outside: list[int] | None = None) -> Handlers:
    """Three groups that handle the same signal, and one that handles another."""
    on = Handlers("shop", promises={"loose": "at-least-once"})
    doing(on, Placed, "one")
    doing(on, Placed, "two", group="others")
    doing(on, Placed, "three", group="loose")
    doing(on, Ticked)

    @on(Placed, group="others")
    def last(event: Placed) -> None:
        if outside is not None:
            outside.append(event.n)

    return on


def test_the_handlers_have_run_when_announce_returns(inline: Make) -> None:
    outside: list[int] = []
    stage = inline(shop(outside))
    commits: list[int] = []
    listen(stage.engine, "commit", lambda _db: commits.append(1))
    event_id = stage.announcer.announce(Placed(n=7))
    assert len(commits) == 1
    assert sorted(names(stage)) == ["one", "three", "two"]
    assert stage.effects() == [7, 7, 7]
    assert outside == [7]
    assert stage.is_clean()
    assert sorted(stage.rows("inbox", "group_name", "source", "event_id")) == [
        ("shop.others", "web", event_id),
        ("shop.placed", "web", event_id),
    ]
    assert stage.announcer.announced == 1


def test_by_name_with_a_key(inline: Make) -> None:
    stage = inline(shop())
    stage.announcer.announce("placed", {"n": 3}, key="k9")
    assert stage.effects() == [3, 3, 3]


def test_what_nobody_handles(inline: Make) -> None:
    stage = inline(shop())
    assert stage.announcer.announce(Opened())
    assert stage.effects() == []
    assert stage.rows("inbox") == []


def test_what_fails_parks_and_announce_returns(inline: Make) -> None:
    bad = True
    on = shop()

    @on(Placed)
    def failing(event: Placed, db: Session) -> None:
        note(db, "failing", event.n)
        if bad:
            raise ValueError("bad")

    @on(Placed)
    def rejecting(event: Placed) -> None:
        raise Reject("never")

    stage = inline(on)
    assert stage.announcer.announce(Placed(n=1))
    assert stage.announcer.announce(Placed(n=2))
    assert [(name, n, error) for name, n, error in stage.parked() if name == "failing"] == [
        ("failing", 1, "ValueError: bad"),
        ("failing", 2, ""),
    ]
    assert [(name, n) for name, n, _ in stage.dead()] == [("rejecting", 1), ("rejecting", 2)]
    assert stage.effects("one") == stage.effects("two") == stage.effects("three") == [1, 2]
    assert stage.effects("failing") == []
    bad = False
    stage.sweep()
    assert stage.effects("failing") == [1, 2]
    assert stage.parked() == []


@pytest.mark.parametrize("group", [None, "visits"])
def test_a_chain_of_three_the_wrong_way_round(group: str | None, inline: Make) -> None:
    on = Handlers("shop")
    for signal in (Opened, Seen, Closed):
        doing(on, signal, group=group)
    stage = inline(on)
    for event in (Closed(n=3), Seen(n=2), Seen(s="s2", n=4)):
        stage.announcer.announce(event)
        assert stage.effects() == []
    stage.announcer.announce(Opened(n=1))
    assert names(stage) == ["opened", "seen", "closed"]
    assert [(name, n) for name, n, _ in stage.parked()] == [("seen", 4)]
    stage.announcer.announce(Opened(s="s2", n=5))
    assert stage.effects() == [1, 2, 3, 5, 4]
    assert stage.is_clean()


def test_a_long_chain_of_one_signal(inline: Make) -> None:
    on = Handlers("shop")
    doing(on, Replied, order="none")
    stage = inline(on)
    for n in range(20, 0, -1):
        stage.announcer.announce(Replied(s=f"r{n}", parent=f"r{n - 1}", n=n))
    assert stage.effects() == []
    stage.announcer.announce(Replied(s="r0"))
    assert stage.effects() == list(range(21))
    assert stage.is_clean()


def test_what_another_process_has_met_is_met(inline: Make) -> None:
    on = Handlers("shop")
    doing(on, Opened)
    doing(on, Viewed)
    inline(on).announcer.announce(Opened())
    stage = inline(on)
    commits: list[int] = []
    listen(stage.engine, "commit", lambda _db: commits.append(1))
    stage.announcer.announce(Viewed(n=1))
    assert stage.effects("viewed") == [1]
    assert stage.is_clean()
    assert len(commits) == 1


def test_what_is_met_within_the_handler_waits_no_longer(inline: Make) -> None:
    """A handler that asks for a pair that is met already: another attempt, later."""
    satisfied = False
    on = Handlers("shop")
    doing(on, Opened)

    @on(Placed)
    def asking(event: Placed, db: Session) -> None:
        if not satisfied:
            raise NotReady(Opened, "s1")
        note(db, "asking", event.n)

    stage = inline(on)
    stage.announcer.announce(Placed(n=1))
    stage.announcer.announce(Opened())
    assert [error for _, _, error in stage.parked()] == ["NotReady: opened 's1' is met already"]
    assert stage.rows("parked", "attempts") == [1]
    satisfied = True
    stage.sweep()
    assert stage.effects("asking") == [1]


def test_the_same_tables_as_over_a_log(stage_database: str, tmp_path: Path) -> None:
    """The same events, the same handlers: the same effects, parked and dead shares."""
    bad = {("one", 3), ("opened", 5)}

    def handlers() -> Handlers:
        on = Handlers("shop")
        for signal in (Opened, Viewed, Placed):
            name = signal.__name__.lower()

            def handle(event: Any, db: Session, name: str = name) -> None:
                note(db, name, event.n)
                if (name, event.n) in bad or event.n == 8:
                    raise Reject("no") if event.n == 8 else ValueError("bad")

            on(signal, name=name, group="all")(handle)
        return on

    events = [
        Viewed(k="a", s="s1", n=1),
        Placed(k="a", n=2),
        Placed(k="b", n=3),
        Opened(k="a", s="s1", n=4),
        Opened(k="b", s="s2", n=5),
        Viewed(k="b", s="s2", n=6),
        Viewed(k="a", s="s1", n=7),
        Placed(k="c", n=8),
        Placed(k="c", n=9),
    ]

    def found(stage: Stage) -> Any:
        with stage.engine.connect() as db:
            done = sorted((r.handler, r.n) for r in db.execute(effects.select()))
        met = [(s, subject, at is not None) for _, s, subject, at, _ in stage.rows("prerequisite")]
        waits = stage.rows("parked", "wait_signal", "wait_subject")
        return done, sorted(stage.parked()), sorted(stage.dead()), met, waits, len(stage.rows("inbox"))

    over_a_log = Stage(stage_database, handlers())
    for event in events:
        over_a_log.handle(event)
    expected = found(over_a_log)
    over_a_log.close()
    with over_a_log.engine.begin() as db:
        for table in (
            "effect",
            "oyez_parked",
            "oyez_dead",
            "oyez_inbox",
            "oyez_prerequisite",
            "oyez_position",
        ):
            db.execute(text(f"DELETE FROM {table}"))
    announced = Inline(stage_database, handlers())
    for event in events:
        announced.announcer.announce(event)
    assert found(announced) == expected
    announced.close()


Opening = Callable[[Engine], Any]


def a_session(engine: Engine) -> Any:
    return Session(engine)


def a_connection(engine: Engine) -> Any:
    return engine.connect()


def a_scoped_session(engine: Engine) -> Any:
    return scoped_session(sessionmaker(engine))


OPENINGS = [a_session, a_connection, a_scoped_session]


def chain(group: str | None = None) -> Handlers:
    on = Handlers("shop")
    for signal in (Opened, Seen, Closed, Placed):
        doing(on, signal, group=group)
    return on


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("first", ["nothing", "read", "write"])
def test_in_the_callers_transaction(opening: Opening, first: str, inline: Make) -> None:
    stage = inline(chain())
    theirs = make_engine(stage.url)

    def begin(db: Any) -> None:
        if first == "read":
            db.execute(text("SELECT count(*) FROM effect")).scalar()
        if first == "write":
            note(db, "theirs", 0)

    def announce(db: Any) -> None:
        for event in (Closed(n=3), Seen(n=2), Opened(n=1), Placed(n=4)):
            stage.announcer.announce(event, db=db)

    db = opening(theirs)
    begin(db)
    announce(db)
    assert [n for n in db.execute(effects.select()).scalars("n") if n] == [1, 2, 3, 4]
    db.rollback()
    assert stage.effects() == []
    assert stage.rows("inbox") == stage.rows("prerequisite") == []
    assert stage.is_clean()

    begin(db)
    announce(db)
    db.commit()
    db.close()
    assert [n for n in stage.effects() if n] == [1, 2, 3, 4]
    assert len(stage.rows("inbox")) == 4
    assert stage.is_clean()
    theirs.dispose()


@pytest.mark.parametrize("group", [None, "visits"])
def test_what_was_rolled_back_is_not_met(group: str | None, inline: Make) -> None:
    stage = inline(chain(group))
    with Session(stage.engine) as db:
        stage.announcer.announce(Seen(n=2), db=db)
        stage.announcer.announce(Opened(n=1), db=db)
        stage.announcer.announce(Closed(n=3), db=db)
        db.rollback()
    stage.announcer.announce(Seen(n=2))
    assert stage.effects() == []
    assert stage.rows("parked", "wait_signal") == ["opened"]
    stage.announcer.announce(Closed(n=3))
    stage.announcer.announce(Opened(n=1))
    assert stage.effects() == [1, 2, 3]


def test_the_callers_objects_are_flushed_first(inline: Make) -> None:
    seen: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def looking(event: Placed, db: Connection) -> None:
        seen.extend(db.execute(effects.select()).scalars("n"))

    stage = inline(on)
    with Session(stage.engine) as db:
        row = Row(handler="theirs", n=5)
        db.add(row)
        stage.announcer.announce(Placed(), db=db)
        assert seen == [5]
        row.n = 6
        db.commit()
    assert stage.effects() == [6]


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_failing_handler_leaves_the_callers_transaction_alone(opening: Opening, inline: Make) -> None:
    ends: dict[int, Callable[[Any], Any]] = {
        1: lambda db: db.commit(),
        2: lambda db: db.rollback(),
        3: lambda db: db.close(),
        4: lambda db: db.execute(text("COMMIT")),
        5: lambda db: db.execute(text("SELECT no_such_column")),
        6: lambda db: db.execute(effects.insert(), {"handler": None, "n": 1}),
        7: lambda db: db.get_transaction().rollback(),
        8: lambda db: db.begin_nested(),
    }
    on = Handlers("shop")

    @on(Placed, order="none")
    def by_connection(event: Placed, db: Connection) -> None:
        note(db, "by_connection", event.n)
        if event.n in ends:
            ends[event.n](db)

    @on(Placed, order="none")
    def by_session(event: Placed, db: Session) -> None:
        note(db, "by_session", event.n)
        if event.n in ends and event.n != 1:
            ends[event.n](db)

    stage = inline(on)
    theirs = make_engine(stage.url)
    db = opening(theirs)
    note(db, "theirs", 100)
    for n in range(10):
        stage.announcer.announce(Placed(n=n), db=db)
    note(db, "theirs", 101)
    assert stage.effects() == []
    db.commit()
    db.close()
    theirs.dispose()
    assert stage.effects("theirs") == [100, 101]
    assert stage.effects("by_connection") == [0, 9]
    assert stage.effects("by_session") == [0, 1, 9]
    errors = {n: error for name, n, error in stage.parked() if name == "by_connection"}
    assert sorted(errors) == list(range(1, 9))
    assert all("HandlerMisuse" in errors[n] for n in (1, 2, 3, 4, 7, 8))


def test_an_event_that_is_refused_leaves_the_callers_transaction_alone(inline: Make) -> None:
    stage = inline(chain())
    with stage.engine.begin() as db:
        db.execute(text("ALTER TABLE oyez_inbox RENAME TO hidden"))
    try:
        with Session(stage.engine) as db:
            note(db, "theirs", 100)
            with pytest.raises(NotAnnounced) as caught:
                stage.announcer.announce(Placed(n=3), db=db)
            one_line(caught.value, "placed was not announced", "oyez_inbox")
            assert caught.value.event.data == Placed(n=3)
            note(db, "theirs", 101)
            db.commit()
    finally:
        with stage.engine.begin() as db:
            db.execute(text("ALTER TABLE hidden RENAME TO oyez_inbox"))
    assert stage.effects() == [100, 101]


def test_their_own_flush_error_is_their_own(inline: Make) -> None:
    stage = inline(chain())
    with Session(stage.engine) as db:
        db.add(Row(handler=None, n=1))
        with pytest.raises(IntegrityError):
            stage.announcer.announce(Placed(), db=db)


def test_conflicts_are_retried(stage_postgres: str) -> None:
    runs: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def conflicting(event: Placed, db: Connection) -> None:
        runs.append(event.n)
        note(db, "conflicting", event.n)
        if len(runs) < 3:
            db.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))

    stage = Inline(stage_postgres, on)
    stage.announcer.announce(Placed(n=1))
    assert runs == [1, 1, 1]
    assert stage.effects() == [1]
    assert stage.is_clean()
    stage.close()


def test_many_threads(inline: Make) -> None:
    stage = inline(chain())
    failures: list[BaseException] = []

    def announce(thread: int) -> None:
        try:
            for n in range(5):
                number, s = thread * 10 + n, f"s{thread}.{n}"
                stage.announcer.announce(Seen(k=s, s=s, n=number))
                stage.announcer.announce(Opened(k=s, s=s, n=number))
        except Exception as error:  # noqa: BLE001 # shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=announce, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    expected = sorted(thread * 10 + n for thread in range(5) for n in range(5))
    assert sorted(stage.effects("seen")) == sorted(stage.effects("opened")) == expected
    assert stage.is_clean()


def announce_many(stage: Inline, numbers: range) -> None:
    for n in numbers:
        stage.announcer.announce(Placed(k=f"k{n}", n=n))


def test_after_a_fork(inline: Make) -> None:
    """Both go on, at the same time, and neither uses the other's connection."""
    announce_many(stage := inline(chain()), range(1))
    children = [
        multiprocessing.get_context("fork").Process(
            target=announce_many, args=[stage, range(n, n + 9)], daemon=True
        )
        for n in (1, 10)
    ]
    for child in children:
        child.start()
    announce_many(stage, range(19, 28))
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert sorted(stage.effects()) == list(range(28))


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql+psycopg://nobody:secret@127.0.0.1:1/none", ("127.0.0.1", "refused")),
        ("sqlite:////no/such/folder/oyez.db", ("unable to open database file",)),
    ],
)
def test_a_database_that_is_away(url: str, parts: tuple[str, ...]) -> None:
    stage = Inline(url, chain())
    started = time.monotonic()
    for db in (None, Session(stage.engine)):
        with pytest.raises(NotAnnounced) as caught:
            stage.announcer.announce(Placed(n=3), db=db)
        message = one_line(caught.value, "placed was not announced", "database", *parts)
        assert "secret" not in message
        assert caught.value.event.data == Placed(n=3)
        assert caught.value.event.key == "k1"
    assert time.monotonic() - started < 30
    assert stage.announcer.announced == 0
    stage.close()


def test_a_database_without_tables(sqlite: str) -> None:
    stage = Inline(sqlite, chain())
    with pytest.raises(NotAnnounced) as caught:
        stage.announcer.announce(Placed(n=3))
    one_line(caught.value, "placed was not announced", sqlite, "oyez db upgrade")
    stage.close()


MODULE = """
    from sqlalchemy import text
    from sqlalchemy.orm import Session
    from oyez.consumers import Handlers
    from oyez.schemas import Signal

    class Bought(Signal, name="tst.bought"):
        n: int

    on = Handlers("tst")

    @on(Bought{options})
    def buy(event: Bought, db: Session) -> None:
        db.execute(text("INSERT INTO bought VALUES (:n)"), {{"n": event.n}})
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets OYEZ_…, with an application module in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def set_up(database: str, options: str = "") -> None:
        sys.modules.pop("tst_inline_app", None)
        (tmp_path / "tst_inline_app.py").write_text(dedent(MODULE.format(options=options)))
        for name, value in {
            "TRANSPORT": "inline",
            "APP": "tst_inline_app:on",
            "DATABASE": database,
            "SOURCE": "web",
        }.items():
            monkeypatch.setenv(f"OYEZ_{name}", value)

    yield set_up
    sys.modules.pop("tst_inline_app", None)


def test_from_settings(database: str, environment: Callable[..., None]) -> None:
    environment(database)
    engine = make_engine(database)
    with pytest.raises(MigrationNeeded) as caught:
        Announcer.from_settings()
    one_line(caught.value, "oyez db upgrade")
    upgrade(engine)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE bought (n INTEGER)"))
    with Announcer.from_settings() as announcer:
        announcer.announce("tst.bought", {"n": 3})
        with engine.connect() as db:
            assert list(db.execute(text("SELECT n FROM bought")).scalars()) == [3]
            assert list(db.execute(text("SELECT group_name FROM oyez_handler")).scalars()) == [
                "tst.tst.bought"
            ]

    environment(database, options=', group="moved"')
    with pytest.raises(StartError) as moved:
        Announcer.from_settings()
    one_line(moved.value, "oyez group rename tst.tst.bought tst.moved")
    engine.dispose()


def test_from_settings_while_the_database_is_away(environment: Callable[..., None]) -> None:
    environment("sqlite:////no/such/folder/oyez.db")
    with Announcer.from_settings() as announcer, pytest.raises(NotAnnounced, match="unable to open"):
        announcer.announce("tst.bought", {"n": 3})


def test_from_settings_without_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OYEZ_APP", raising=False)
    monkeypatch.setenv("OYEZ_TRANSPORT", "inline")
    with pytest.raises(Exception, match="no application") as caught:
        Announcer.from_settings()
    one_line(caught.value, "OYEZ_APP")


def test_settings_of_listeners_count(
    sqlite: str, environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OYEZ_MAX_ATTEMPTS is none of the announcers' own; the table `bought` is missing."""
    environment(sqlite)
    engine = make_engine(sqlite)
    upgrade(engine)
    monkeypatch.setenv("OYEZ_MAX_ATTEMPTS", "1")
    with Announcer.from_settings() as announcer:
        announcer.announce("tst.bought", {"n": 3})
    with engine.connect() as db:
        assert list(db.execute(text("SELECT reason FROM oyez_dead")).scalars()) == ["failed 1 times"]
    engine.dispose()


def test_engines_of_the_callers_own(stage_postgres: str) -> None:
    engine = create_engine(stage_postgres, isolation_level="SERIALIZABLE")
    stage = Inline(stage_postgres, chain(), engine=engine)
    stage.announcer.announce(Placed(n=1))
    with Session(engine) as db:
        stage.announcer.announce(Placed(n=2), db=db)
        db.commit()
    assert stage.effects() == [1, 2]
    stage.close()
