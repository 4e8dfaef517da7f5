"""The key of the visitor session, as a request says it."""

from collections.abc import Callable, Iterator, MutableMapping
from http.cookies import SimpleCookie
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from oyez.schemas.text import flaw, text_of

Request = MutableMapping[str, Any]
"""A request as servers give it: an ASGI scope, or a WSGI environ."""

Asked = TypeVar("Asked")
"""A request, of whatever kind the function for its key takes."""

KeyOf = Callable[[Request], Any]
"""Gives a request's key, or None. What is no text becomes one as a signal's key does: an int or a UUID may be given."""


def cookie(name: str) -> KeyOf:
    """The key is the value of this cookie. Of several, the first: browsers send the nearest path first."""

    def read(request: Request) -> str | None:
        pairs = (pair.partition("=") for line in _lines(request, "cookie") for pair in line.split(";"))
        return next((_unquoted(value) for found, _, value in pairs if found.strip() == name), None)

    return read


def header(name: str) -> KeyOf:
    """The key is the value of this header. Of several with the name it is all, with commas between."""

    def read(request: Request) -> str | None:
        return ",".join(_lines(request, name)) or None

    return read


def no_key(_request: Request) -> None:
    """The key is bound by others, if at all."""


def checked(key: KeyOf) -> KeyOf:
    """TypeError: it cannot be called for a key."""
    if not callable(key):
        raise TypeError(
            f'key= must be cookie("name"), header("name") or a function of the request, not {key!r:.80}'
        )
    if iscoroutinefunction(key) or iscoroutinefunction(getattr(key, "__call__", None)):  # noqa: B004 # is it async?
        raise TypeError(
            "key= must be no async function: what has to be awaited is bound by visitor_session()"
        )
    return key


def key_in(request: Asked, key: Callable[[Asked], Any]) -> str | None:
    """The request's key. One that cannot be used, since it is too long, say, is none: it comes from outside, and may
    not break what the request asks for."""
    text = text_of(key(request))
    return None if text is None or flaw(text) else text


def _lines(request: Request, name: str) -> Iterator[str]:
    """The values of a header, as often as it was sent; WSGI has joined them."""
    if "headers" in request:
        wanted = name.lower().encode("latin-1")
        yield from (value.decode("latin-1") for found, value in request["headers"] if found == wanted)
    elif (said := request.get(f"HTTP_{name.upper().replace('-', '_')}")) is not None:
        yield said


def _unquoted(value: str) -> str:
    return SimpleCookie().value_decode(value.strip())[0]
