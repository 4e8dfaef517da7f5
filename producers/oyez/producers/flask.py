"""For Flask: an announcer with settings of the application's, and the visitor session of each request."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, request, session

from .announcer import Announcer
from .made_when_used import MadeWhenUsed
from .session import bind_session
from .settings import Settings
from .settings_given import settings_given
from .web import KeyOf, WSGISessionMiddleware
from .web.keys import Request, checked, key_in, no_key

EXTENSION = "oyez"
PREFIX = "OYEZ_"
"""What the names of settings begin with in `app.config`."""


def in_session(name: str) -> KeyOf:
    """The key is what Flask's `session` has under this name."""

    def read(_request: Request) -> Any:
        return session.get(name)

    return read


class Oyez:
    """An application's announcer, and its visitors' keys: `oyez = Oyez(app, key=in_session("visitor"))`."""

    def __init__(self, app: Flask | None = None, *, key: KeyOf = no_key) -> None:
        """`key` gives a request's key, with the request at hand: `in_session("visitor")`, `cookie("sid")`,
        `header("X-Session")`, or a function of its environ. Without it, no request has one. With `app`, as
        `init_app`."""
        self._key = checked(key)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Bind the key of each of this application's requests. SettingsError: `app.config["OYEZ_…"]` is wrong."""
        settings = settings_given("app.config", app.config.get_namespace(PREFIX), Settings)
        app.extensions[EXTENSION] = MadeWhenUsed(lambda: Announcer.from_settings(settings))
        app.wsgi_app = WSGISessionMiddleware(app.wsgi_app, key=no_key)  # type: ignore[method-assign] # as Flask says
        app.before_request(self._bind)

    @property
    def announcer(self) -> Announcer:
        """The current application's announcer, made when it is first used, and closed at exit."""
        announcer: MadeWhenUsed[Announcer] = current_app.extensions[EXTENSION]
        return announcer()

    def _bind(self) -> None:
        """The middleware around the application puts back what was bound before, and keeps this for the body."""
        bind_session(key_in(request.environ, self._key))
