"""The user's application, for commands."""

from __future__ import annotations

from ...handler_files import Loaded
from ...handlers.application import Application
from ...handlers.registry import Handlers
from ...run.loading import load, load_application, load_handlers
from ...settings import ListenSettings
from .output import aside


def application_of(settings: ListenSettings) -> Application:
    """The application, checked; see `load_application` for what it raises."""
    with aside():
        return load_application(settings)


def handlers_of(settings: ListenSettings) -> Handlers:
    """The application's handlers, unchecked; importing them has filled the catalogue."""
    with aside():
        return load_handlers(settings.app)


def loaded_of(settings: ListenSettings) -> Loaded:
    """The application's handlers and those of its event files, unchecked."""
    with aside():
        return load(settings)
