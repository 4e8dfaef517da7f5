"""Actors on PostgreSQL that stop before every statement, so that a test decides who takes the next step.

An actor is a function in a thread of its own, with an engine of its own. It stops before each statement that
others may notice, or that may notice them, and before each commit or rollback of a transaction that did anything
of the kind; what nobody can notice is part of the step before it.

A step that waits for another actor's lock leaves its actor blocked, until the other's step lets it go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence, Set
from typing import Any, NamedTuple

from sqlalchemy import Engine, create_engine, event, text

from oyez.consumers.core.stop_signals import Terminated
from support.tables import knowing_the_tables

from .footprints import Footprint, footprint, overlap, plain

LIMIT = 60.0  # s; no step takes that long
GLANCE = 0.002  # s; a step that takes longer may be blocked: ask the database
COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"
# Rows are found by indexes, in their order: a run would not repeat itself if it were that in which they happen to lie,
# which is another one for each run, or if plans changed with statistics.
PLANS = "-c enable_seqscan=off -c enable_bitmapscan=off -c plan_cache_mode=force_custom_plan"
OPTIONS = f"-c synchronous_commit=off -c deadlock_timeout=20ms {PLANS}"


class Step(NamedTuple):
    """What an actor does next: a statement or, with ``ends``, a commit or rollback."""

    actor: str
    what: str
    footprint: Footprint
    ends: bool = False

    def conflicts(self, other: Step) -> bool:
        """Whether the order of these two steps of different actors can matter.

        At READ COMMITTED a statement does not see what others have not committed: two statements meet only in
        rows that both lock; a commit meets every statement over something that it shows or unlocks.
        """
        mine, theirs = self.footprint, other.footprint
        if self.ends and other.ends:
            return False
        if self.ends or other.ends:
            return overlap(mine.shows, theirs.reads | theirs.locks) or overlap(
                theirs.shows, mine.reads | mine.locks
            )
        return overlap(mine.locks, theirs.locks)


class Abandoned(Terminated):
    """The play is over before its end. No handler's failure, so that no handler's error handling sees it."""


class Actor:
    """A function that is stepped. It is given the actor's engine."""

    def __init__(self, name: str, engine: Engine, work: Callable[[Engine], object]) -> None:
        self.name = name
        self.engine = engine
        self.next: Step | None = None
        self.pid: int | None = None
        self.finished = False
        self.error: BaseException | None = None
        self._work = work
        self._changed = threading.Condition()
        self._abandoned = False
        self._shows: set[str] = set()

    @property
    def is_running(self) -> bool:
        return self.next is None and not self.finished

    def start(self, changed: threading.Condition) -> threading.Thread:
        """Run up to the first stop, in a thread; ``changed`` is told of every stop and of the end."""
        self._changed = changed
        thread = threading.Thread(target=self._run, name=self.name)
        thread.start()
        return thread

    def go(self) -> None:
        """Take the step that the actor stopped before."""
        with self._changed:
            self.next = None
            self._changed.notify_all()

    def abandon(self) -> None:
        """Roll back, and come to an end."""
        self._abandoned = True
        self.go()

    def before_statement(self, db: Any, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        self.pid = db.connection.dbapi_connection.info.backend_pid
        found = footprint(statement, parameters)
        if not found.is_hidden:
            self._stop(Step(self.name, plain(statement), found))
        self._shows |= found.shows | found.locks

    def before_commit(self, _db: object) -> None:
        self._end(COMMIT)

    def before_rollback(self, _db: object) -> None:
        self._end(ROLLBACK)

    def _end(self, what: str) -> None:
        shows, self._shows = frozenset(self._shows), set()
        if shows:
            self._stop(Step(self.name, what, Footprint(frozenset(), frozenset(), shows), ends=True))

    def _stop(self, step: Step) -> None:
        with self._changed:
            if not self._abandoned:
                self.next = step
                self._changed.notify_all()
                self._changed.wait_for(lambda: self.next is None)
        if self._abandoned and step.what != ROLLBACK:
            raise Abandoned

    def _run(self) -> None:
        hooks: list[tuple[str, Callable[..., None]]] = [
            ("before_cursor_execute", self.before_statement),
            ("commit", self.before_commit),
            ("rollback", self.before_rollback),
        ]
        for name, hook in hooks:
            event.listen(self.engine, name, hook)
        try:
            self._work(self.engine)
        except BaseException as error:  # noqa: BLE001 - raised again where the actors are waited for
            self.error = error
        for name, hook in hooks:
            event.remove(self.engine, name, hook)
        with self._changed:
            self.finished = True
            self._changed.notify_all()


class SteppedDatabase:
    """A database, with one engine for each actor's name, kept from run to run, and one to look on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engines: dict[str, Engine] = {}
        self.engine = knowing_the_tables(create_engine(url, connect_args={"options": OPTIONS}))
        self._watching = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def actor(self, name: str, work: Callable[[Engine], object]) -> Actor:
        """An actor on an engine of its own."""
        if name not in self._engines:
            self._engines[name] = knowing_the_tables(
                create_engine(self._url, connect_args={"options": OPTIONS})
            )
        return Actor(name, self._engines[name], work)

    def play(
        self, actors: Sequence[Actor], choose: Callable[[Sequence[Step]], Step]
    ) -> list[tuple[Step, bool]]:
        """Run the actors to their ends; ``choose`` says which of the possible steps is next.

        Returns the steps in the order taken, each with whether it had to wait for another actor.
        """
        changed = threading.Condition()
        threads = [actor.start(changed) for actor in actors]
        by_name = {actor.name: actor for actor in actors}
        taken: list[tuple[Step, bool]] = []
        try:
            self._settle(actors, changed)
            while possible := [actor.next for actor in actors if actor.next is not None]:
                step = choose(possible)
                by_name[step.actor].go()
                self._settle(actors, changed)
                taken.append((step, by_name[step.actor].is_running))
        finally:
            for actor in actors:
                actor.abandon()
            for thread in threads:
                thread.join(LIMIT)
        for actor in actors:
            if actor.error is not None:
                raise actor.error
        return taken

    def tidy(self) -> None:
        """What autovacuum does at any moment: clear the space of deleted rows, and count what is there."""
        self._watching.exec_driver_sql("VACUUM ANALYZE")

    def close(self) -> None:
        self._watching.close()
        for engine in (self.engine, *self._engines.values()):
            engine.dispose()

    def _settle(self, actors: Sequence[Actor], changed: threading.Condition) -> None:
        """Wait until every actor has stopped, has finished, or waits for the lock of one that has stopped."""
        limit = time.monotonic() + LIMIT
        stuck: frozenset[int] = frozenset()
        while time.monotonic() < limit:
            with changed:
                if changed.wait_for(lambda: not any(a.is_running for a in actors), timeout=GLANCE):
                    return
            while more := self._blocked(actors, stuck) - stuck:
                stuck |= more
                if all(actor.pid in stuck for actor in actors if actor.is_running):
                    return
        raise AssertionError(f"neither stopped nor blocked: {[a.name for a in actors if a.is_running]}")

    def _blocked(self, actors: Sequence[Actor], stuck: Set[int]) -> frozenset[int]:
        """Who waits for one that has stopped, or is known to be stuck. Those stay so until the next step.

        The database tells who waits for whom one after the other, not at one moment: one that was seen to wait for
        another may have gone on when that other is seen to wait itself. So who waits for one that is only now seen
        to be stuck has to be seen once more.
        """
        running = [actor.pid for actor in actors if actor.is_running and actor.pid is not None]
        held = stuck | {actor.pid for actor in actors if actor.next is not None}
        asked = text("SELECT pid, pg_blocking_pids(pid) FROM unnest(CAST(:pids AS int[])) AS pid")
        blocking = self._watching.execute(asked, {"pids": running})
        return frozenset(pid for pid, found in blocking if held & set(found))
