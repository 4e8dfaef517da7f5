"""Traces of what is announced, where the application has set up OpenTelemetry (the extra `otel`).

An event carries the span in which it was announced, as CloudEvents' distributed tracing extension says. Names and
attributes are those of OpenTelemetry's semantic conventions for messaging and for CloudEvents.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from oyez.schemas import OyezError
from oyez.schemas.encoding import trace_members

from .loggers import logger_named

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

log = logger_named("oyez.tracing")
SYSTEM = "oyez"
FLUSH = 3.0
"""Seconds for the last spans of a process."""


def is_loaded() -> bool:
    """Whether somebody has loaded OpenTelemetry's API. Whoever sets up tracing has; nobody else is to."""
    return "opentelemetry.trace" in sys.modules


def find_tracer() -> Tracer | None:
    """Oyez's tracer; None: the application has set up no tracing, or not yet."""
    if not is_loaded():
        return None
    from opentelemetry import trace  # noqa: PLC0415 # see is_loaded

    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return provider.get_tracer("oyez")


def send_spans(seconds: float = FLUSH) -> None:
    """Have what was recorded sent, if the application has set up tracing. It has so many seconds: an exporter's own
    limits may be far longer, and nobody who stops waits for a collector that is away."""
    if not is_loaded():
        return
    from opentelemetry import trace  # noqa: PLC0415 # see is_loaded

    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is None:
        return
    sending = Thread(target=flush, args=(int(seconds * 1_000),), name="oyez-spans", daemon=True)
    sending.start()
    sending.join(seconds)
    if sending.is_alive():
        log.warning("the last spans were not sent within %g s: does the collector answer?", seconds)


def current_trace() -> dict[str, str]:
    """The current span, as W3C Trace Context writes it: its `traceparent`, and its `tracestate` if there is one. Empty
    if there is none."""
    if not is_loaded():
        return {}
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 # see is_loaded
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier


def context_in(carrier: Mapping[str, str], base: Context | None = None) -> Context:
    """`base`, or else the current context, with the span that is named in `carrier`, if one is. For whoever traces."""
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator().extract(carrier, base)


def continued(traceparent: str) -> Callable[[], None]:
    """Go on with this trace: what is called then ends that. Nothing is done where nobody traces, or a span is the
    current one already."""
    if not is_loaded():
        return _nothing
    from opentelemetry import context, trace  # noqa: PLC0415 # see is_loaded

    if trace.get_current_span().get_span_context().is_valid:
        return _nothing
    token = context.attach(context_in({"traceparent": traceparent}))
    return lambda: context.detach(token)


def _nothing() -> None: ...


class AnnounceSpan:
    """The span of one event that is announced. `members` are those that say so in the event."""

    def __init__(self, span: Span) -> None:
        self.members = trace_members(current_trace())
        self._span = span

    def describe(self, topic: str, source: str, event_id: str) -> None:
        """Say which event it is, and where it goes."""
        self._span.set_attributes(
            {
                "messaging.destination.name": topic,
                "messaging.message.id": event_id,
                "cloudevents.event_id": event_id,
                "cloudevents.event_source": source,
            }
        )


@contextmanager
def announcing(tracer: Tracer, signal: str | None) -> Iterator[AnnounceSpan]:
    """A span for announcing one event of this signal, if it is one; it is the current one meanwhile."""
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 # see is_loaded

    given = {
        "messaging.system": SYSTEM,
        "messaging.operation.name": "announce",
        "messaging.operation.type": "create",
    }
    if signal is not None:
        given["cloudevents.event_type"] = signal
    name = "announce" if signal is None else f"announce {signal}"
    with tracer.start_as_current_span(
        name,
        kind=SpanKind.PRODUCER,
        attributes=given,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield AnnounceSpan(span)
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR, str(error) if isinstance(error, OyezError) else None)
            raise
