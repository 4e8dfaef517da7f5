"""For Flask: an announcer with settings of the application's, and the visitor session of each request."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, request, session

from .announcer import Announcer
from .errors import SettingsError
from .lookup import entry_of
from .made_when_used import MadeWhenUsed
from .session import bind_session, bound_session
from .settings import Settings
from .settings_given import settings_given
from .web import KeyOf, WSGISessionMiddleware
from .web.keys import Request, checked, key_in, no_key
from .web.wsgi import BOUND

EXTENSION = "oyez"
PREFIX = "OYEZ_"
"""What the names of settings begin with in `app.config`."""
_BEFORE = "oyez.session_before"


def in_session(name: str) -> KeyOf:
    """The key is what Flask's `session` has under this name. Static files are asked for under none: whoever reads the
    session makes Flask say `Vary: Cookie`, and no cache may keep the file for others."""

    def read(_request: Request) -> Any:
        return None if _is_static() else session.get(name)

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
        """Bind the key of each of this application's requests. The announcer has the settings that are in `app.config`
        when it is made. SettingsError: `app.config["OYEZ_…"]` is wrong already."""
        entry_of(_settings(app))
        app.extensions[EXTENSION] = MadeWhenUsed(lambda: Announcer.from_settings(_settings(app)))
        app.wsgi_app = WSGISessionMiddleware(app.wsgi_app, key=no_key)  # type: ignore[method-assign] # as Flask says
        app.before_request(self._bind)
        app.teardown_request(_unbind)

    @property
    def announcer(self) -> Announcer:
        """The current application's announcer, made when it is first used, and closed at exit. SettingsError: a
        setting is wrong, or the application was not given to `init_app`."""
        announcer: MadeWhenUsed[Announcer] | None = current_app.extensions.get(EXTENSION)
        if announcer is None:
            raise SettingsError(
                f"the Flask application {current_app.name!r} has no announcer: call init_app(app) of your Oyez() for it"
            )
        return announcer()

    def _bind(self) -> None:
        """The middleware around the application puts back what was bound before, and keeps this for the body. In a
        `test_request_context` none is around it."""
        if BOUND not in request.environ:
            request.environ[_BEFORE] = bound_session()
        bind_session(key_in(request.environ, self._key))


def _unbind(_error: BaseException | None) -> None:
    if _BEFORE in request.environ:
        bind_session(request.environ.pop(_BEFORE))


def _settings(app: Flask) -> Settings:
    return settings_given("app.config", app.config.get_namespace(PREFIX), Settings, PREFIX)


def _is_static() -> bool:
    """Whether the request is for a file in a `static` folder, the application's or a blueprint's."""
    return (request.endpoint or "").rpartition(".")[2] == "static"
