"""Middleware for WSGI: Flask, Bottle, Pyramid, and whatever else speaks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..session import BoundSteps
from .keys import KeyOf, checked, key_in

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BOUND = "oyez.session_bound"
"""In an environ: the middleware is around, and puts back what was bound before, whoever binds another key within."""


class WSGISessionMiddleware:
    """Binds the visitor session of each request while the application works on it: in its call, whenever the server
    takes a part of the response's body, and when that is closed.

    Between these nothing is bound: a server may take bodies in turn, and each in whatever thread is free.
    """

    def __init__(self, app: WSGIApplication, *, key: KeyOf) -> None:
        """`key` gives the key of an environ: `cookie("sid")`, `header("X-Session")`, or a function. TypeError: it
        cannot be called for that."""
        self._app = app
        self._key = checked(key)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        steps = BoundSteps(key_in(environ, self._key))
        environ[BOUND] = True
        body = steps.run(self._app, environ, start_response)
        return body if _is_made(body, environ) else _Body(body, steps)


class _Body:
    """A response's body, made as it is taken."""

    def __init__(self, body: Iterable[bytes], steps: BoundSteps) -> None:
        self._body = body
        self._steps = steps

    def __iter__(self) -> Iterator[bytes]:
        body = self._steps.run(iter, self._body)
        while True:
            try:
                part = self._steps.run(next, body)
            except StopIteration:
                return
            yield part

    def close(self) -> None:
        """As the body itself is closed."""
        close = getattr(self._body, "close", None)
        if close is not None:
            self._steps.run(close)


def _is_made(body: Iterable[bytes], environ: WSGIEnvironment) -> bool:
    """Whether to take it runs no code of the application's: servers tell its length, or send a file, by its type."""
    files = environ.get("wsgi.file_wrapper")
    return isinstance(body, list | tuple) or (isinstance(files, type) and isinstance(body, files))
