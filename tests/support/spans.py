"""Spans that are recorded in this process, by OpenTelemetry's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Recorded:
    """What was recorded so far."""

    def __init__(self, exporter: InMemorySpanExporter, provider: TracerProvider) -> None:
        self._exporter = exporter
        self.tracer = provider.get_tracer("the application")

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of this name that have ended, in the order in which they did."""
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only span of this name."""
        (span,) = self.named(name)
        return span

    def names(self) -> list[str]:
        return [span.name for span in self._exporter.get_finished_spans()]


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Tracing as an application sets it up; the SDK lets nobody undo that, so that its own variable is what is set."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield Recorded(exporter, provider)
    provider.shutdown()


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    """Whether one is a child of the other, by both ids."""
    here, there = span.parent, parent.get_span_context()
    return (
        here is not None
        and there is not None
        and (here.trace_id, here.span_id) == (there.trace_id, there.span_id)
    )


def linked(span: ReadableSpan) -> list[int]:
    """The ids of the spans that this one is linked to."""
    return [link.context.span_id for link in span.links]


def span_id(span: ReadableSpan) -> int:
    there = span.get_span_context()
    assert there is not None
    return there.span_id


def traceparent(span: ReadableSpan) -> str:
    """A span as events name it."""
    there = span.get_span_context()
    assert there is not None
    return f"00-{there.trace_id:032x}-{there.span_id:016x}-{there.trace_flags:02x}"
