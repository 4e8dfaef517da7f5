"""Whether the calls of an application's handlers are watched, and for what."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from typing import TYPE_CHECKING

from oyez.producers.tracing import find_tracer, send_spans

from ..handlers.application import Application
from ..handlers.registry import Handler

if TYPE_CHECKING:  # commands read the application, and need no database for that
    from ..core.release import OnRelease
    from ..execution.delivery import Delivery
    from .spans import Spans
    from .watched import Watch

EVENT_IDS = f"{__package__}.event_ids"


def watched_application(application: Application, within: Watch | None = None) -> Application:
    """The same application; its handlers are watched if it has set up tracing, or wants to know in its log lines which
    event they belong to. Both are to be so before this is called, and they are watched for that once. ``within``: who
    watches as well, next to the call itself if nobody has watched yet."""
    if any(handler.is_watched for handler in application.handlers):
        return application if within is None else _changed(application, within)
    spans = _spans()
    watches = [one for one in (spans, _event_ids(), within) if one is not None]
    if not watches:
        return application
    on_release = None if spans is None else spans.release
    return _changed(application, _all_of(watches), on_release)


def _changed(application: Application, watch: Watch, on_release: OnRelease | None = None) -> Application:
    from .watched import watched  # noqa: PLC0415 # it needs the database's modules

    return application.changed(partial(watched, watch=watch, on_release=on_release))


@contextmanager
def spans_sent() -> Iterator[None]:
    """What was recorded is sent when this block ends: nothing else does that in a process that was forked."""
    try:
        yield
    finally:
        send_spans()


def _spans() -> Spans | None:
    tracer = find_tracer()
    if tracer is None:
        return None
    from .spans import Spans  # noqa: PLC0415 # it needs OpenTelemetry

    return Spans(tracer)


def _event_ids() -> Watch | None:
    if EVENT_IDS not in sys.modules:
        return None
    from .event_ids import noted  # noqa: PLC0415 # see there

    return noted


def _all_of(watches: Sequence[Watch]) -> Watch:
    return reduce(_both, watches)


def _both(outer: Watch, inner: Watch) -> Watch:
    @contextmanager
    def both(handler: Handler, deliveries: Sequence[Delivery]) -> Iterator[None]:
        with outer(handler, deliveries), inner(handler, deliveries):
            yield

    return both
