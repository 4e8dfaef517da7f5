"""The visitor session, bound once for a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

from oyez.schemas import InvalidEvent
from oyez.schemas.text import flaw

_bound: ContextVar[str | None] = ContextVar("oyez_visitor_session", default=None)
_Result = TypeVar("_Result")

bound_session = _bound.get
"""The key that is bound here, or None."""


def bind_session(key: str | None) -> None:
    """Bind a key, or none, from here on: whoever began the request puts back what was bound before."""
    _bound.set(key)


@contextmanager
def visitor_session(key: str | None) -> Iterator[None]:
    """Announce under `key` in this block, where no other key is given. None: under no key, whatever is bound around it.
    InvalidEvent: it cannot be one."""
    if key is not None and (reason := flaw(key)):
        raise InvalidEvent(f"visitor_session: the key {reason}")
    token = _bound.set(key)
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator that was closed elsewhere: nothing was bound there
            _bound.reset(token)


class BoundSteps:
    """Work that is done in steps, such as the body of a response: its key is bound in each of them, not between."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def run(self, step: Callable[..., _Result], *given: object) -> _Result:
        """Do one step. What it leaves bound is bound in the next one."""
        before = _bound.get()
        _bound.set(self._key)
        try:
            return step(*given)
        finally:
            self._key = _bound.get()
            _bound.set(before)
