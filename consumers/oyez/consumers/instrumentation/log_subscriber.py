"""The subscriber that logs: a line for a change of state, with its fields in ``extra``."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from oyez.producers.loggers import logger_named

from . import events

WORKER, SUPERVISOR = "oyez.worker", "oyez.supervisor"


class Line(NamedTuple):
    """How an event is logged. Its fields, and no other text, are put into ``text``."""

    level: int
    logger: str
    text: str


LINES: Mapping[type[events.InstrumentationEvent], Line] = {
    events.WorkerStarted: Line(logging.INFO, WORKER, "{group}: worker started"),
    events.WorkerStopped: Line(
        logging.INFO,
        WORKER,
        "{group}: worker stopped; {handled} handled, {parked} parked, {released} released, {dead} dead, "
        "{expired} expired",
    ),
    events.WorkerFailed: Line(logging.ERROR, SUPERVISOR, "{group}: {error}"),
    events.WorkerMoves: Line(
        logging.WARNING, SUPERVISOR, "{worker} goes on in a process of its own: {reason}"
    ),
    events.WorkerDied: Line(
        logging.ERROR, SUPERVISOR, "{worker} ended with {how}; starting it again in {delay_seconds:.1f} s"
    ),
    events.WorkerKilled: Line(
        logging.ERROR, SUPERVISOR, "{worker} did not stop within {seconds:.0f} s; killing it"
    ),
    events.SlowToStop: Line(
        logging.WARNING,
        WORKER,
        "{group}: was told to stop {seconds:.0f} s ago, and still is in {place}; its database connections are ended",
    ),
    events.DatabaseLost: Line(logging.WARNING, WORKER, "{group}: {error}; waiting for it"),
    events.DatabaseBack: Line(logging.WARNING, WORKER, "{group}: the database answers again"),
    events.ClockOff: Line(
        logging.ERROR,
        WORKER,
        "{group}: this machine's clock is {seconds:+.0f} s off the database's; set the wrong one right",
    ),
    events.ClockRight: Line(logging.WARNING, WORKER, "{group}: this machine's clock is right again"),
    events.DatabaseClockLeapt: Line(
        logging.ERROR,
        WORKER,
        "{group}: the database's clock has leapt by {seconds:+.0f} s; until it has stayed there for ten minutes, the "
        "time before counts on",
    ),
    events.DatabaseClockBelieved: Line(logging.WARNING, WORKER, "{group}: the database's clock counts again"),
    events.StoppedInTrouble: Line(logging.WARNING, WORKER, "{group}: {error}; stopping"),
    events.BatchFenced: Line(
        logging.WARNING, WORKER, "{group}: {error}; reading on from the database's positions"
    ),
    events.LogLost: Line(logging.WARNING, WORKER, "{group}: {error}; asking again"),
    events.LogBack: Line(logging.WARNING, WORKER, "{group}: the log answers again"),
    events.PartitionStalled: Line(
        logging.WARNING,
        WORKER,
        "{group}: {topic} partition {partition} gives nothing, though it has {position} to {end}: {remedy}",
    ),
    events.PartitionHalted: Line(
        logging.ERROR, WORKER, "{group}: {topic} partition {partition} is not read any more: {reason}"
    ),
    events.BatchCut: Line(
        logging.INFO,
        WORKER,
        "{group}: the batch was cut after {handled} deliveries; the others of its {size} events wait",
    ),
    events.Suspecting: Line(
        logging.WARNING, WORKER, "{group}: workers died here; the next {events} events are handled one by one"
    ),
    events.EventKilledWorkers: Line(
        logging.ERROR,
        WORKER,
        "{group}: {topic} partition {partition} offset {offset}: {workers} workers died on this event; it is given up",
    ),
    events.MailsSent: Line(
        logging.INFO,
        WORKER,
        "{group}: urgent mail: {sent} sent, {delayed} delayed, {failed} failed, {unsure} may have been sent",
    ),
    events.MailServerLost: Line(logging.WARNING, WORKER, "{group}: {error}; urgent mail waits"),
    events.OutboxHeldUp: Line(
        logging.WARNING, WORKER, "{group}: the outbox is held up: {error}; trying again"
    ),
    events.OutboxMovesOn: Line(logging.WARNING, WORKER, "{group}: the outbox moves on"),
    events.KeysElsewhere: Line(
        logging.WARNING,
        WORKER,
        "{group}: {topic}: the key {key!r} of {source} is in partition {partition}, not {belongs}: its keys may "
        "have no order; that client chooses partitions {advice} (docs/partitioners.md)",
    ),
    events.PartsPaused: Line(
        logging.WARNING, WORKER, "{group}: paused: {what}; oyez pause lists it, oyez resume ends it"
    ),
    events.NothingPaused: Line(logging.WARNING, WORKER, "{group}: nothing is paused any more"),
    events.HandlersFoundBroken: Line(logging.ERROR, WORKER, "{group}: {error}"),
    events.HandlerFailed: Line(
        logging.WARNING,
        WORKER,
        "{group}: {handler} failed, {count} of {kind} since this was said last: {error}",
    ),
    events.DeliveriesDied: Line(
        logging.ERROR, WORKER, "{group}: {count} dead letters more; oyez dead list has them"
    ),
    events.HandlersRepaired: Line(logging.WARNING, WORKER, "{group}: the handlers work again"),
}


class LogSubscriber:
    """Logs what has a line. The record has the event's name as ``happened``, and its fields under their names."""

    def receive(self, event: events.InstrumentationEvent) -> None:
        line = LINES.get(type(event))
        if line is None:
            return
        logger = logger_named(line.logger)
        if not logger.isEnabledFor(line.level):
            return
        said = {field.name: getattr(event, field.name) for field in fields(event)}
        cause = said.pop("cause", None)
        extra: dict[str, Any] = {"happened": _snake(type(event).__name__), **said}
        logger.log(line.level, "%s", line.text.format(**said), extra=extra)
        if cause is not None:
            logger.debug("%s", event.group, exc_info=cause)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
