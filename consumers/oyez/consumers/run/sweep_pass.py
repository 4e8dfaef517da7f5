"""One pass over an application's groups, for cron: read what the spool holds, then run what is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from ..handlers.application import Application, Group
from ..outbox.relay import Relay
from ..retry.retrying import Retrying
from ..settings import ListenSettings
from ..worker.allowance import Allowance
from ..worker.totals import Tally
from .assembly import log_for_sweep, make_worker, retrying_for_group
from .group_order import in_order


@dataclass(frozen=True)
class Swept:
    """What one sweep did in one group."""

    group: str
    totals: Tally


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


@dataclass(frozen=True)
class Pass:
    """What one pass did in each group, what holds up the outbox, if something does, and which logs are not read any
    more, which their workers have logged."""

    swept: list[Swept]
    problem: str | None
    halted: list[str]


def one_pass(groups: Sequence[Sweeper], relay: Relay, stop: Callable[[], bool], allowance: Allowance) -> Pass:
    """Read every log, run what is due everywhere, and let what stands in the outbox leave; again as long as something
    left, since that may be read here."""
    sweeps = [(sweeper, Tally()) for sweeper in groups]
    relay.run(stop)
    while True:
        _read(sweeps, stop, allowance)
        _run_due(sweeps, stop)
        relayed = relay.run(stop)
        if not relayed.events or relayed.problem is not None or stop() or not allowance.left:
            break
    done = [Swept(sweeper.group.name, totals) for sweeper, totals in sweeps]
    return Pass(done, relayed.problem, [line for sweeper in groups for line in sweeper.halted])


def _read(sweeps: Sequence[tuple[Sweeper, Tally]], stop: Callable[[], bool], allowance: Allowance) -> None:
    for sweeper, tally in sweeps:
        if not stop() and allowance.left:
            sweeper.read(tally, stop, allowance)


def _run_due(sweeps: Sequence[tuple[Sweeper, Tally]], stop: Callable[[], bool]) -> None:
    """Again as long as that released something for another group."""
    released = -1
    while released != (now := sum(tally.released + tally.revived for _, tally in sweeps)) and not stop():
        released = now
        for sweeper, tally in sweeps:
            sweeper.run_due(tally, stop)


def within(
    seconds: float | None, stop: Callable[[], bool], clock: Callable[[], float] = time.monotonic
) -> Callable[[], bool]:
    """A ``stop`` that also says so when the time is up."""
    if seconds is None:
        return stop
    end = clock() + seconds
    return lambda: stop() or clock() >= end
