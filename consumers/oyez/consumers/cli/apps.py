"""The user's application, for commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..application import Application
from ..handlers import Handlers
from ..loading import AppError, load_application, load_handlers
from ..settings import ListenSettings
from .output import aside

T = TypeVar("T")


def application_of(settings: ListenSettings) -> Application:
    """The application, checked; see `load_application` for what it raises."""
    return _loaded(load_application, settings)


def handlers_of(settings: ListenSettings) -> Handlers:
    """The application's handlers, unchecked; importing them has filled the catalogue."""
    return _loaded(load_handlers, settings)


def _loaded(load: Callable[[str | None], T], settings: ListenSettings) -> T:
    try:
        with aside():
            return load(settings.app)
    except SystemExit as ended:
        raise AppError(
            f"{settings.app}: importing it ended the program (sys.exit({ended.code!r})); "
            f'put what runs under if __name__ == "__main__":'
        ) from None
