"""Spans of mails that are sent: each is a child of the handler's call that queued the mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from oyez.producers.tracing import context_in, find_tracer

from ..database.mails import Change

Say = Callable[[Change], None]


@contextmanager
def sending(number: int, traceparent: str | None) -> Iterator[Say]:
    """A span for one attempt to send the mail with this number, where the application has set up tracing. What is
    yielded is to be told what became of it."""
    tracer = find_tracer()
    if tracer is None:
        yield _to_nobody
        return
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 # the application has loaded it

    parent = context_in({"traceparent": traceparent or ""})
    given = {"oyez.mail": number}
    with tracer.start_as_current_span(
        "send mail", context=parent, kind=SpanKind.CLIENT, attributes=given
    ) as span:

        def say(change: Change) -> None:
            span.set_attributes({"oyez.outcome": change.state, "oyez.attempt": change.attempts})
            if change.state == "failed":
                span.set_status(StatusCode.ERROR, change.error)

        yield say


def _to_nobody(_change: Change) -> None: ...
