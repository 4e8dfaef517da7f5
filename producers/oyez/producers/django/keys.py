"""The visitor session of a request: ``settings.OYEZ["KEY"]``.

It is ``"session"`` (the default), ``"cookie:NAME"``, or the path of a function that is given the request.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.http import HttpRequest
from django.utils.module_loading import import_string

from ..errors import SettingsError
from .settings import KEY, WHERE, said_in_django

SESSION, COOKIE = "session", "cookie:"
KeyOf = Callable[[HttpRequest], Any]
"""Gives a request's key, or None. What is no text becomes one, as a signal's key does."""


def key_function() -> KeyOf:
    """What is set. SettingsError: it is none of these."""
    said = said_in_django().get(KEY, SESSION)
    if said == SESSION:
        return _of_session
    if isinstance(said, str) and said.startswith(COOKIE) and said != COOKIE:
        name = said.removeprefix(COOKIE)
        return lambda request: request.COOKIES.get(name)
    function: Any = _imported(said) if isinstance(said, str) else said
    if not callable(function):
        raise SettingsError(
            f"{WHERE}['KEY'] is {said!r:.100}; write 'session', 'cookie:NAME', or the path of a function of the "
            f"request, such as 'shop.visitors.key'"
        )
    read: KeyOf = function
    return read


def uses_session() -> bool:
    """Whether it is the session of Django's own."""
    return bool(said_in_django().get(KEY, SESSION) == SESSION)


def _of_session(request: HttpRequest) -> str | None:
    """Whoever knows a session's key has the session. Events are read by many: they get a number made of it."""
    try:
        key = request.session.session_key
    except AttributeError:
        raise SettingsError(
            "the request has no session: put django.contrib.sessions.middleware.SessionMiddleware before "
            f"oyez.producers.django.middleware.VisitorSession, or set {WHERE}['KEY']"
        ) from None
    return None if key is None else sha256(key.encode()).hexdigest()[:32]


def _imported(path: str) -> object:
    try:
        return import_string(path)
    except ImportError as error:
        raise SettingsError(f"{WHERE}['KEY'] cannot be imported: {error}") from None
