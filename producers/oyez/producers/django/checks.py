"""What Django's system checks say of Oyez's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from ..errors import SettingsError
from ..lookup import entry_of
from .keys import key_function, uses_session
from .settings import announcing_settings, said_in_django

OURS = "oyez.producers.django.middleware.VisitorSession"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"


def check_settings(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """``oyez.E001``: a setting is wrong; ``E002``: the key; ``E003``: the order of the middleware; ``E004``: sessions
    that have no key."""
    found = [*_said(said_in_django, "E001")] or [*_said(lambda: entry_of(announcing_settings()), "E001")]
    if not found and OURS in settings.MIDDLEWARE:
        found = [*_said(key_function, "E002")] or [*_sessions()]
    return found


def _said(read: Callable[[], object], number: str) -> Iterator[CheckMessage]:
    try:
        read()
    except SettingsError as error:
        yield _error(str(error), number)


def _sessions() -> Iterator[CheckMessage]:
    if not uses_session():
        return
    before = settings.MIDDLEWARE[: settings.MIDDLEWARE.index(OURS)]
    if SESSIONS not in before:
        yield _error(
            f"{OURS} takes the key from Django's session: put {SESSIONS} before it, or set settings.OYEZ['KEY']",
            "E003",
        )
    if settings.SESSION_ENGINE == SIGNED_COOKIES:
        yield _error(
            "sessions of signed cookies have no key that stays: set settings.OYEZ['KEY'] to 'cookie:NAME' of another "
            "cookie, or to a function",
            "E004",
        )


def _error(message: str, number: str) -> CheckMessage:
    return Error(message, id=f"oyez.{number}")
