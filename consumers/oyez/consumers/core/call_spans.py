"""In which span a handler has failed: what it raised carries that to whoever writes down what came of the call."""

from __future__ import annotations

from contextlib import suppress

_NAME = "__oyez_span__"


def note_span(error: BaseException, traceparent: str | None) -> None:
    """Note the span of the call that raised this. An error that takes no attributes goes without."""
    with suppress(AttributeError, TypeError):
        setattr(error, _NAME, traceparent)


def span_of(error: BaseException) -> str | None:
    """The traceparent of the call that raised this, if that was traced."""
    found: object = getattr(error, _NAME, None)
    return found if isinstance(found, str) else None
