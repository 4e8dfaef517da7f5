"""The visitor session, bound once for a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from oyez.schemas import InvalidEvent
from oyez.schemas.text import flaw

_bound: ContextVar[str | None] = ContextVar("oyez_visitor_session", default=None)

bound_session = _bound.get
"""The key that is bound here, or None."""


@contextmanager
def visitor_session(key: str) -> Iterator[None]:
    """Announce under `key` in this block, where no other key is given. InvalidEvent: it cannot be one."""
    if reason := flaw(key):
        raise InvalidEvent(f"visitor_session: the key {reason}")
    token = _bound.set(key)
    try:
        yield
    finally:
        _bound.reset(token)
