"""Which event a log line belongs to: for the application's own logging, by the standard library or by structlog.

Whoever imports this wants to know; calls are not watched for it otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from oyez.producers.tracing import is_loaded

from ..execution.delivery import Delivery
from ..handlers.registry import Handler

NOBODY: dict[str, str | None] = dict.fromkeys(
    ("event_id", "event_source", "signal", "handler", "trace_id", "span_id")
)
_current: ContextVar[dict[str, str | None]] = ContextVar("oyez_event_ids", default=NOBODY)


class EventIds(logging.Filter):
    """Adds to each log record which event is being handled: ``event_id``, ``event_source``, ``signal`` and
    ``handler``, and ``trace_id`` and ``span_id`` of the current span. Each is None where there is none: outside of
    handlers, and of the first two in a handler that is called for a batch. What a line says itself under one of these
    names (``extra=``) stays. Add it to a handler of ``logging``, before workers start::

        handler.addFilter(EventIds())
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said = vars(record)
        said.update({name: one for name, one in _ids().items() if name not in said})
        return True


def add_event_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The same as a processor of structlog: adds those of them that are known."""
    event.update({name: one for name, one in _ids().items() if one is not None and name not in event})
    return event


@contextmanager
def noted(handler: Handler, deliveries: Sequence[Delivery]) -> Iterator[None]:
    """Note which event is handled in this block; see `Watch`."""
    ids = NOBODY | {"signal": handler.declaration.name, "handler": handler.name}
    if not handler.takes_list:
        taken = deliveries[0].taken
        parent = str(taken.envelope.get("traceparent") or "").split("-")
        trace_id = parent[1] if len(parent) > 1 else None
        ids |= {"event_id": taken.id, "event_source": taken.source, "trace_id": trace_id}
    token = _current.set(ids)
    try:
        yield
    finally:
        _current.reset(token)


def _ids() -> dict[str, str | None]:
    return _current.get() | _span_ids()


def _span_ids() -> dict[str, str]:
    if not is_loaded():
        return {}
    from opentelemetry import trace  # noqa: PLC0415 # the application has loaded it

    here = trace.get_current_span().get_span_context()
    if not here.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(here.trace_id), "span_id": trace.format_span_id(here.span_id)}
