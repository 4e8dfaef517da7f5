"""The user's application, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...handler_files import Loaded
from ...handlers.application import Application
from ...handlers.registry import Handlers
from ...run.loading import load, load_application, load_handlers
from ...run.looked_after import looked_after
from ...settings import ListenSettings
from . import logging
from .output import aside


def application_of(settings: ListenSettings) -> Application:
    """The application, checked; see `load_application` for what it raises."""
    handlers_of(settings)  # first: who hears what is said of its event files is settled then
    with _importing():
        return looked_after(load_application(settings))


def handlers_of(settings: ListenSettings) -> Handlers:
    """The application's handlers, unchecked; importing them has filled the catalogue."""
    with _importing():
        return load_handlers(settings.app)


def loaded_of(settings: ListenSettings) -> Loaded:
    """The application's handlers and those of its event files, unchecked."""
    with _importing():
        return load(settings)


def has_kafka(settings: ListenSettings) -> bool:
    """Whether its events may be in a Kafka: it is the transport, or a broker is named to which the spool is shipped."""
    from ...logs.lookup import find_log_backend  # noqa: PLC0415 # it loads the database, which not every command needs

    backend = find_log_backend(settings)
    return "kafka" in settings.model_fields_set or (backend is not None and "kafka" in backend.place)


@contextmanager
def _importing() -> Iterator[None]:
    """Code of the user's runs: what it prints is no data, and it may configure logging."""
    with aside():
        try:
            yield
        finally:
            logging.settle()
