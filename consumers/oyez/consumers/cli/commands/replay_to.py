"""Where `oyez replay` puts events: on their usual way, or before one handler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from oyez.producers.ordered_sender import OrderedSender
from oyez.schemas import catalogue
from oyez.schemas.nearest import meant_or_all

from ...database import Database as Transactions
from ...database.clock import DatabaseClock
from ...handlers.application import Application
from ...handlers.registry import Handler
from ...replay.announcing import Announcing
from ...replay.choosing import Picked, Wanted
from ...replay.delivering import Delivered, Delivering
from ...replay.identity import Identity
from ...run.outlets import outlet_from
from ...settings import ListenSettings
from ..common import output, probes
from ..common.confirming import several
from ..common.errors import NotFound, UsageProblem
from .announce import PROBES


@dataclass
class Outcome:
    """What was done: how many events were ``announced``, or ``delivered``; and what ended it before the end."""

    announced: int = 0
    delivered: Delivered = field(default_factory=Delivered)
    problem: str = ""

    def add(self, more: Outcome) -> None:
        """Add what another step did."""
        self.announced += more.announced
        self.delivered.add(more.delivered)
        self.problem = more.problem

    @property
    def total(self) -> int:
        """How many events are dealt with."""
        one = self.delivered
        return self.announced + one.delivered + one.before + one.parked + one.dead + one.undecodable

    def counts(self, *, is_delivery: bool) -> dict[str, int]:
        """What is printed: of deliveries more than of announcements."""
        if not is_delivery:
            return {"announced": self.announced}
        names = ("delivered", "before", "parked", "dead", "undecodable")
        return {name: getattr(self.delivered, name) for name in names}

    def say(self) -> None:
        """What the counts do not say."""
        if self.delivered.parked:
            output.note(
                f"{several(self.delivered.parked, 'event')} wait for this handler already: `oyez retry list`"
            )
        if self.delivered.dead:
            output.note(
                f"{several(self.delivered.dead, 'event')} are dead letters of this handler: `oyez dead retry`"
            )
        if self.delivered.undecodable:
            output.note(f"of what cannot be decoded, the last is {self.delivered.reason}")
        if self.problem:
            output.note(f"the transport did not take an event: {self.problem}")


Take = Callable[[Sequence[Picked]], Outcome]
"""Takes some events; says what it did."""


@contextmanager
def announcing_to(settings: ListenSettings, identity: Identity) -> Iterator[Take]:
    """The transport that is set. Raises `SettingsError` for one that would lose the events."""
    if settings.transport in PROBES:
        PROBES[settings.transport](settings)
    sender = OrderedSender(outlet_from(settings))
    announcing = Announcing(sender, partial(_topic_of, settings), identity, timeout=settings.flush_timeout)
    try:
        yield lambda some: Outcome(announcing.step(some))
    finally:
        sender.close(settings.flush_timeout)


def _topic_of(settings: ListenSettings, one: Picked) -> str:
    """Where its group looks for it today; of a signal that is not known here, where it was."""
    if one.event.signal in catalogue:
        return catalogue[one.event.signal].topic or settings.topic
    return one.kept.topic or settings.topic


@contextmanager
def delivering_to(
    application: Application, handler: Handler, settings: ListenSettings, identity: Identity, run: str
) -> Iterator[Take]:
    """The retry table."""
    with probes.engine_of(settings) as engine:
        group = application.groups[handler.group]
        delivering = Delivering(
            group, handler, Transactions(engine), DatabaseClock(), identity=identity, run=run
        )
        yield lambda some: Outcome(delivered=delivering.step(some))


def handler_named(application: Application, name: str, wanted: Wanted) -> Handler:
    """The handler of this name. Raises `NotFound`, and `UsageProblem` where other signals are wanted than its own."""
    for handler in application.handlers:
        if handler.name == name:
            if wanted.signals - {handler.declaration.name}:
                raise UsageProblem(f"--signal: {name} handles {handler.declaration.name} alone; leave it out")
            return handler
    names = [one.name for one in application.handlers]
    raise NotFound(f"{application.name} has no handler {name}; {meant_or_all(name, names)}")
