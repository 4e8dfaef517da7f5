"""Every interleaving of what several processes of one application do, and what must be true in each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, text

from consumers.interleavings.shop import Clock, Shop, empty, restore, rows, save
from oyez.consumers import Application
from support.exploring import Choose, Explored, explore
from support.stepping import ROLLBACK, Actor, Step, SteppedDatabase

_COMMITTED = text(
    """
    SELECT 'met', signal, subject, '', '' FROM oyez_prerequisite WHERE met_at IS NOT NULL
    UNION ALL SELECT 'waits', wait_signal, wait_subject, '', '' FROM oyez_parked WHERE wait_signal IS NOT NULL
        AND (group_name, wait_signal, wait_subject) NOT IN (SELECT group_name, signal, subject FROM oyez_releasing)
    UNION ALL SELECT 'done', signal, subject, handler, n::text FROM done
    """
)
Act = Callable[[Shop], object]
"""What one process does."""


class EveryOrder:
    """A database with an application on it, for one test."""

    def __init__(self, stepped_database: SteppedDatabase, application: Application) -> None:
        self.application = application
        self.clock = Clock()
        self.waited: Counter[str] = Counter()
        self.rolled_back = 0
        self.results: dict[str, Any] = {}
        self._completing: dict[str | None, frozenset[str]] = {
            signal: names
            for group in application.groups.values()
            for signal, names in group.completing.items()
            if names
        }
        self._stepped_database = stepped_database

    def shop(self, engine: Any = None, **said: Any) -> Shop:
        """A process of the application; one that nobody steps, unless it is given an actor's engine."""
        return Shop(self.application, engine or self._stepped_database.engine, clock=self.clock, **said)

    def every(
        self,
        acts: Mapping[str, Act],
        check: Callable[[Shop], None],
        *,
        before: Act = lambda _shop: None,
        batch: int = 500,
    ) -> Explored:
        """Run ``acts`` in every order of their steps, each time on the tables that ``before`` leaves.

        Two that do the same thing are the same: which of them begins makes no difference. ``results`` has what
        the acts have returned.
        In every state that is ever committed nobody waits for what is met, but where it is noted that the rest is
        still to be released; and exactly what is done is met.
        """

        def play(choose: Choose) -> None:
            restore(self._stepped_database.engine)
            self.results.clear()
            for step, waited in self.play(acts, self._watched(choose, acts), batch=batch):
                self.waited += Counter({f"{step.actor}: {step.what}": int(waited)})
                self.rolled_back += step.what == ROLLBACK
            self.is_sound()
            check(self.shop())

        empty(self._stepped_database.engine)
        before(self.shop())
        save(self._stepped_database.engine)
        explored = explore(play)
        print(
            f"\n{' | '.join(acts)}: {explored.runs} interleavings, {explored.repeated} given up as like one,"
            f" {explored.strayed} strayed"
        )
        return explored

    def play(self, acts: Mapping[str, Act], choose: Choose, *, batch: int = 500) -> list[tuple[Step, bool]]:
        """Run ``acts`` in one order of their steps; the steps, each with whether it had to wait."""

        def actor(name: str, act: Act) -> Actor:
            def work(engine: Engine) -> None:
                self.results[name] = act(self.shop(engine, batch=batch))

            return self._stepped_database.actor(name, work)

        return self._stepped_database.play([actor(name, act) for name, act in acts.items()], choose)

    def read(self, query: Callable[[Connection], Any]) -> Any:
        with self._stepped_database.engine.connect() as db:
            return query(db)

    def is_sound(self) -> None:
        """What must be true of everything that was ever committed."""
        self.read(self._is_sound)

    def _watched(self, choose: Choose, acts: Mapping[str, Act]) -> Choose:
        """Look at what was committed after each commit. Of actors who do the same, the first goes first."""
        moved: set[str] = set()
        ended = False

        def watch(possible: Sequence[Step]) -> Step:
            nonlocal ended
            if ended:
                self.is_sound()
            step = choose([one for one in possible if not _has_twin_to_go(one.actor, acts, moved)])
            moved.add(step.actor)
            ended = step.ends
            return step

        return watch

    def _is_sound(self, db: Connection) -> None:
        found: defaultdict[str, Counter[tuple[str | None, ...]]] = defaultdict(Counter)
        for kind, *what in db.execute(_COMMITTED):
            found[kind][tuple(what)] += 1
        met = {(signal, subject) for signal, subject, *_ in found["met"]}
        waiting = {(signal, subject) for signal, subject, *_ in found["waits"]}
        assert not met & waiting, f"met, but somebody waits for it: {met & waiting}"
        finished = self._finished(found["done"])
        assert met == finished, f"met {met}, finished {finished}"
        doubled = [delivery for delivery, times in found["done"].items() if times > 1]
        assert not doubled, f"done twice: {doubled}"

    def _finished(self, deliveries: Iterable[tuple[str | None, ...]]) -> set[tuple[str | None, str | None]]:
        by_prerequisite: dict[tuple[str | None, str | None], set[str | None]] = {}
        for signal, subject, handler, _ in deliveries:
            if subject is not None:
                by_prerequisite.setdefault((signal, subject), set()).add(handler)
        return {
            prerequisite
            for prerequisite, handlers in by_prerequisite.items()
            if handlers >= self._completing[prerequisite[0]]
        }


def _has_twin_to_go(actor: str, acts: Mapping[str, Act], moved: set[str]) -> bool:
    """Whether another actor that does the same stands before this one, and neither has begun."""
    before = list(acts)[: list(acts).index(actor)]
    return actor not in moved and any(acts[twin] is acts[actor] for twin in before if twin not in moved)


def nothing_is_left(shop: Shop) -> None:
    """Nothing is parked or dead."""
    with shop.engine.connect() as db:
        assert rows(db, "parked", "handler", "event_id", "wait_signal", "due_at") == []
        assert rows(db, "dead", "handler", "event_id", "reason") == []
