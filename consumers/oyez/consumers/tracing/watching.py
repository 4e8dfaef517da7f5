"""Whether the calls of an application's handlers are watched, and for what."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from oyez.producers.tracing import find_tracer, send_spans

from ..execution.delivery import Delivery
from ..handlers.application import Application
from ..handlers.registry import Handler
from .watched import Watch, watched

FLUSH = 5.0
"""Seconds for the last spans of a worker."""
EVENT_IDS = f"{__package__}.event_ids"


def watched_application(application: Application) -> Application:
    """The same application; its handlers are watched if it has set up tracing, or wants to know in its log lines which
    event they belong to. Both are to be so before this is called."""
    watches = [*_spans(), *_event_ids()]
    if not watches:
        return application
    return application.changed(partial(watched, watch=_all_of(watches)))


@contextmanager
def spans_sent() -> Iterator[None]:
    """What was recorded is sent when this block ends: nothing else does that in a process that was forked."""
    try:
        yield
    finally:
        send_spans(FLUSH)


def _spans() -> Iterator[Watch]:
    tracer = find_tracer()
    if tracer is not None:
        from .spans import Spans  # noqa: PLC0415 # it needs OpenTelemetry

        yield Spans(tracer)


def _event_ids() -> Iterator[Watch]:
    if EVENT_IDS in sys.modules:
        from .event_ids import noted  # noqa: PLC0415 # see there

        yield noted


def _all_of(watches: Sequence[Watch]) -> Watch:
    if len(watches) == 1:
        return watches[0]
    outer, inner = watches

    @contextmanager
    def both(handler: Handler, deliveries: Sequence[Delivery]) -> Iterator[None]:
        with outer(handler, deliveries), inner(handler, deliveries):
            yield

    return both
