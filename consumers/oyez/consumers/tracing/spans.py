"""Spans of handler calls, by OpenTelemetry's semantic conventions for messaging and for CloudEvents.

A call for one event is a child of the span in which that was announced; a call for a batch is linked to those of its
events. A delivery that was parked after a first attempt is linked to that attempt's span too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer

from oyez.producers.tracing import SYSTEM, context_in, current_trace
from oyez.schemas.headers import TRACE, text_in

from ..core.call_spans import note_span
from ..core.outcomes import NotReady, Reject, RetryAfter
from ..core.record import Record
from ..core.release import Release
from ..core.user_errors import text_of
from ..database.parked_row import ParkedRow
from ..execution.attempt import describe
from ..execution.delivery import Delivery
from ..handlers.registry import Handler

MOST = 20
"""Prerequisites that are named."""
ASKED = (NotReady, Reject, RetryAfter)
"""What a handler asks for by raising: no fault of it."""


class Spans:
    """Makes a span for each call; see `Watch`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def __call__(self, handler: Handler, deliveries: Sequence[Delivery]) -> Iterator[None]:
        parent, links = _origins(deliveries)
        attributes = _of_call(handler)
        attributes |= _of_batch(deliveries) if handler.takes_list else _of_event(deliveries[0])
        with self._tracer.start_as_current_span(
            f"process {handler.declaration.name}",
            context=parent,
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                note_span(error, current_trace().get("traceparent"))
                _fail(span, error)
                raise
            span.set_attribute("oyez.outcome", "Done")

    def release(self, release: Release) -> None:
        """A span for what was released, linked to the announcements of what released it."""
        origins = [_span_context(context_in({"traceparent": one})) for one in release.traceparents]
        attributes: dict[str, Any] = {
            "oyez.met": [f"{one.signal} {one.subject}" for one in release.met[:MOST]],
            "oyez.released": len(release.released),
            "oyez.revived": release.revived,
            "oyez.groups": sorted(set(release.released)),
        }
        links = [Link(one) for one in origins if one.is_valid]
        self._tracer.start_span("release", attributes=attributes, links=links).end()


def _exception(error: BaseException) -> dict[str, str]:
    """As the SDK records one; but its text may be one that cannot be had."""
    return {
        "exception.type": type(error).__qualname__,
        "exception.message": text_of(error),
        "exception.stacktrace": describe(error),
    }


def _fail(span: Span, error: BaseException) -> None:
    if isinstance(error, ASKED):
        span.set_attribute("oyez.outcome", type(error).__name__)
        span.add_event(text_of(error))
        return
    span.set_attributes({"oyez.outcome": "Failed", "error.type": type(error).__qualname__})
    span.add_event("exception", _exception(error))
    span.set_status(Status(StatusCode.ERROR, text_of(error)))


def _origins(deliveries: Sequence[Delivery]) -> tuple[Context | None, list[Link]]:
    """The parent of a call, if it is for one event, and what it is linked to. Where somebody else's span is the current
    one (a transport that handles at once), that is a link if it is not the parent's own trace."""
    contexts = list(map(context_of, deliveries))
    origins = list(map(_span_context, contexts))
    if len(deliveries) > 1 or deliveries[0].handler.takes_list:
        return None, [Link(one) for one in origins if one.is_valid]
    here = trace.get_current_span().get_span_context()
    if not origins[0].is_valid:
        return None, _first_attempt(deliveries[0])
    links = [Link(here)] if here.is_valid and here.trace_id != origins[0].trace_id else []
    return contexts[0], links + _first_attempt(deliveries[0])


def _first_attempt(delivery: Delivery) -> list[Link]:
    record = delivery.taken.record
    said = record.first_attempt if isinstance(record, ParkedRow) else None
    there = _span_context(context_in({"traceparent": said or ""}, Context()))
    return [Link(there)] if there.is_valid else []


def context_of(delivery: Delivery) -> Context:
    """The context in which the event was announced; one without a span, if nobody says."""
    envelope, headers = delivery.taken.envelope, delivery.taken.record.headers()
    carrier = {name: envelope.get(name) or text_in(headers or (), name) for name in TRACE}
    return context_in({name: text for name, text in carrier.items() if isinstance(text, str)}, Context())


def _span_context(context: Context) -> SpanContext:
    return trace.get_current_span(context).get_span_context()


def _of_call(handler: Handler) -> dict[str, Any]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": handler.group,
        "cloudevents.event_type": handler.declaration.name,
        "oyez.handler": handler.name,
    }


def _of_batch(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    return {"messaging.batch.message_count": len(deliveries)}


def _of_event(delivery: Delivery) -> dict[str, Any]:
    taken = delivery.taken
    found = {
        "messaging.message.id": taken.id,
        "cloudevents.event_id": taken.id,
        "cloudevents.event_source": taken.source,
        "cloudevents.event_subject": taken.declaration.subject_of(taken.data),
        "oyez.key": taken.key,
    }
    return {name: value for name, value in found.items() if value is not None} | _of_place(delivery)


def _of_record(record: Record) -> dict[str, Any]:
    return {
        "messaging.destination.name": record.topic(),
        "messaging.destination.partition.id": str(record.partition()),
        "oyez.offset": record.offset(),
    }


def _of_place(delivery: Delivery) -> dict[str, Any]:
    """Where it came from: a place in a log, or the retry table after it has waited."""
    record: Any = delivery.taken.record
    if not isinstance(record, ParkedRow):
        # What is handled at once comes from no log.
        return _of_record(record) if hasattr(record, "topic") else {}
    found: dict[str, Any] = {"oyez.attempt": record.attempts + 1, "oyez.parked_at": record.parked_at}
    if delivery.required:
        found["oyez.waited_for"] = [f"{one.signal} {one.subject}" for one in delivery.required]
    return found
