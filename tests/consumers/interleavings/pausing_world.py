"""An application of which parts are paused and resumed, and what must be true of whatever ran."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Ticked, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database
from oyez.schemas import Signal

HEARD = 2.0  # s; after which workers that nobody woke have looked
SIGNALS: dict[str, type[Signal]] = {"placed": Placed, "opened": Opened, "viewed": Viewed, "ticked": Ticked}
HANDLERS = {
    "first": Placed,
    "second": Placed,
    "open": Opened,
    "view": Viewed,
    "tick": Ticked,
    "loose": Placed,
}
GROUPS = {"shop.placed": ("first", "second"), "shop.opened": ("open",), "shop.viewed": ("view",)}
GROUPS |= {"shop.ticked": ("tick",), "shop.loose": ("loose",)}
UNORDERED = {"tick", "loose"}
AT_LEAST_ONCE = "shop.ticked"


class World(Pipeline):
    """A pipeline with handlers that fail as they are told, and an operator."""

    def __init__(self, url: str, **said: Any) -> None:
        self.failing: set[str] = set()
        super().__init__(url, self._handlers(), max_attempts=1000, **said)
        self.pausing = Pausing(self.application, Database(self.engine), self.clock, 86_400.0)
        self.announced: list[tuple[str, str, int]] = []
        self.held: set[tuple[str | None, str | None]] = set()

    def announce_one(self, signal: str, key: str) -> None:
        """One more event; each has a number of its own."""
        n = len(self.announced)
        self.announced.append((signal, key, n))
        values = {"n": n} if signal == "ticked" else {"n": n, "k": key}
        if signal in {"opened", "viewed"}:
            values["s"] = key
        self.announce(SIGNALS[signal](**values))

    def pause(self, name: str | None, key: str | None = None, reason: str | None = None) -> bool:
        """As an operator does it; workers have heard of it when this returns."""
        is_new = self.pausing.pause(self.pausing.scope(name, key), "me@here", reason)
        self.held.add((name, key))
        self.clock.now += HEARD
        return is_new

    def resume(self, name: str | None, key: str | None = None) -> None:
        """The same."""
        assert self.pausing.resume(self.pausing.paused(name, key))
        self.held.remove((name, key))
        self.clock.now += HEARD

    def is_paused(self, handler: str, key: str | None) -> bool:
        """Whether a handler is paused, for a key."""
        groups = [group for group, names in GROUPS.items() if handler in names]
        return any(
            name in (None, handler, *groups) and held_key in (None, key) for name, held_key in self.held
        )

    def did(self) -> list[tuple[str, int]]:
        """Handler and number of all that was done, in order."""
        with self.engine.connect() as db:
            return [tuple(row) for row in db.exec_driver_sql("SELECT handler, n FROM effect ORDER BY seq")]

    def run_watched(self) -> None:
        """Work, and see that nothing ran that is paused, and that a paused group has read nothing."""
        before, paused = len(self.did()), [name for name, key in self.held if key is None and name in GROUPS]
        read = self._positions(paused)
        self.run()
        assert self._positions(paused) == read
        for handler, n in self.did()[before:]:
            _, key, _ = self.announced[n]
            assert not self.is_paused(handler, None if handler == "tick" else key), (handler, n, self.held)

    def _positions(self, groups: list[str]) -> int:
        """How far these groups have read; a row of a partition may be made meanwhile, where it begins. Of an
        at-least-once group the log knows it, and the row follows when somebody takes the partition."""
        found = self.rows("position", "group_name", "position")
        return sum(position for group, position in found if group in groups and group != AT_LEAST_ONCE)

    def settle(self) -> None:
        """All is resumed, and works."""
        for name, key in list(self.held):
            self.resume(name, key)
        self.failing.clear()
        for _ in range(6):
            self.later()

    def check(self) -> None:
        """Everything was done once, in the order of its key."""
        done: defaultdict[str, list[int]] = defaultdict(list)
        for handler, n in self.did():
            done[handler].append(n)
        for handler, signal in HANDLERS.items():
            name = signal.__oyez__.name
            expected = [n for found, _, n in self.announced if found == name]
            if handler == "view":
                opened = {key for found, key, _ in self.announced if found == "opened"}
                expected = [n for n in expected if self.announced[n][1] in opened]
            assert sorted(done[handler]) == expected, handler
            if handler not in UNORDERED:
                assert _by_key(self, done[handler]) == _by_key(self, expected), handler

    def _handlers(self) -> Handlers:
        on = Handlers("shop", promises={"ticked": "at-least-once"})
        for name, signal in HANDLERS.items():
            self._register(on, name, signal)
        return on

    def _register(self, on: Handlers, name: str, signal: type[Signal]) -> None:
        def handle(event: Any, db: Session) -> None:
            if name in self.failing:
                raise RuntimeError(f"{name} fails")
            note(db, name, event.n)

        handle.__annotations__["event"] = signal
        options: dict[str, Any] = {"group": "loose", "order": "none"} if name == "loose" else {}
        on(signal, name=name, **options)(handle)


def _by_key(world: World, numbers: list[int]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for n in numbers:
        found[world.announced[n][1]].append(n)
    return dict(found)
