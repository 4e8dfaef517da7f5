"""One pass over an application's groups, for cron: read what the spool holds, then run what is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from ..handlers.application import Application, Group
from ..outbox.relay import Drainer
from ..retry.retrying import Retrying
from ..settings import ListenSettings
from ..worker.allowance import Allowance
from ..worker.totals import Tally
from .assembly import log_for_sweep, make_worker, retrying_for_group


@dataclass(frozen=True)
class Swept:
    """What one sweep did in one group. Counts of deliveries; ``parked`` are those that have to wait again."""

    group: str
    handled: int
    parked: int
    released: int
    dead: int
    revived: int

    @property
    def is_empty(self) -> bool:
        return not (self.handled or self.parked or self.released or self.dead or self.revived)


class Sweeper:
    """One group, as one pass takes it."""

    def __init__(self, group: Group, settings: ListenSettings, engine: Engine) -> None:
        self.group = group
        self.halted: list[str] = []
        """What of the log cannot be read, with the reason, as `read` has found it last."""
        self._settings = settings
        self._engine = engine
        self._retrying: Retrying = retrying_for_group(group, settings, engine)

    def read(self, tally: Tally, stop: Callable[[], bool], allowance: Allowance) -> None:
        """Read the log to its end, as a worker would. What is read by workers is left to them."""
        source = log_for_sweep(self.group, self._settings, self._engine)
        if source is None:
            return
        worker = make_worker(self.group, self._settings, engine=self._engine, source=source)
        tally.merge(worker.run_out(stop, allowance))
        self.halted = worker.halted

    def run_due(self, tally: Tally, stop: Callable[[], bool]) -> None:
        """Run what is due in the retry table."""
        self._retrying.sweep(tally.add, stop)


def sweepers(application: Application, settings: ListenSettings, engine: Engine) -> list[Sweeper]:
    """All groups, those that complete a signal before those that wait for it."""
    return [Sweeper(group, settings, engine) for group in in_order(application)]


def in_order(application: Application) -> list[Group]:
    """The groups, each after those that complete what it requires, as far as that is possible."""
    found: dict[str, Group] = {}
    for group in application.groups.values():
        _visit(group, application, found, set())
    return list(found.values())


def _visit(group: Group, application: Application, found: dict[str, Group], above: set[str]) -> None:
    if group.name in above:
        return
    for required in sorted({signal for handler in group.handlers for signal in handler.requires}):
        for needed in application.of_signal(required):
            _visit(needed, application, found, above | {group.name})
    found.setdefault(group.name, group)


@dataclass(frozen=True)
class Pass:
    """What one pass did in each group, what holds up the outbox, if something does, and which logs are not read any
    more, which their workers have logged."""

    swept: list[Swept]
    problem: str | None
    halted: list[str]


def one_pass(
    groups: Sequence[Sweeper], drainer: Drainer, stop: Callable[[], bool], allowance: Allowance
) -> Pass:
    """Read every log, run what is due everywhere, and let what stands in the outbox leave; again as long as something
    left, since that may be read here."""
    prerequisites = [(sweeper, Tally()) for sweeper in groups]
    drainer.drain(stop)
    while True:
        _read(prerequisites, stop, allowance)
        _run_due(prerequisites, stop)
        drained = drainer.drain(stop)
        if not drained.events or drained.problem is not None or stop() or not allowance.left:
            break
    done = [Swept(s.group.name, t.done, t.parked, t.released, t.dead, t.revived) for s, t in prerequisites]
    return Pass(done, drained.problem, [line for sweeper in groups for line in sweeper.halted])


def _read(
    prerequisites: Sequence[tuple[Sweeper, Tally]], stop: Callable[[], bool], allowance: Allowance
) -> None:
    for sweeper, tally in prerequisites:
        if not stop() and allowance.left:
            sweeper.read(tally, stop, allowance)


def _run_due(prerequisites: Sequence[tuple[Sweeper, Tally]], stop: Callable[[], bool]) -> None:
    """Again as long as that released something for another group."""
    released = -1
    while (
        released != (now := sum(tally.released + tally.revived for _, tally in prerequisites)) and not stop()
    ):
        released = now
        for sweeper, tally in prerequisites:
            sweeper.run_due(tally, stop)


def within(
    seconds: float | None, stop: Callable[[], bool], clock: Callable[[], float] = time.monotonic
) -> Callable[[], bool]:
    """A ``stop`` that also says so when the time is up."""
    if seconds is None:
        return stop
    end = clock() + seconds
    return lambda: stop() or clock() >= end
