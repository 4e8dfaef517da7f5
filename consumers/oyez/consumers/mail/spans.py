"""Spans of mails that are sent: each is a child of the handler's call that queued the mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from oyez.producers.tracing import context_in, find_tracer

from ..database.mails import Change

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Say = Callable[[Change], None]


def sending(number: int, traceparent: str | None) -> AbstractContextManager[Say]:
    """A span for one attempt to send the mail with this number, where the application has set up tracing. What the
    block gets is to be told what became of it."""
    tracer = find_tracer()
    return _untraced if tracer is None else _span(tracer, number, traceparent)


@contextmanager
def _span(tracer: Tracer, number: int, traceparent: str | None) -> Iterator[Say]:
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


_untraced = nullcontext(_to_nobody)
