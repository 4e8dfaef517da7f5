"""What a shell completes beside commands and options: the application's own names, and those of settings.

An application that cannot be imported completes nothing: a shell that waits for a word is no place for an error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ...handlers.registry import Handlers

Completion = Callable[[typer.Context, str], list[str]]


def _completing(names: Callable[[Handlers], Iterable[str]]) -> Completion:
    """Completes names that the application has."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        handlers = _handlers(context)
        found = () if handlers is None else names(handlers)
        return [name for name in dict.fromkeys(found) if name.startswith(incomplete)]

    return complete


def _handlers(context: typer.Context) -> Handlers | None:
    said: Any = context.params.get("app") or context.find_root().params.get("application")
    logging.disable()
    try:
        from ...settings import ListenSettings  # noqa: PLC0415 # pydantic is for whoever needs it
        from .application import loaded_of  # noqa: PLC0415 # as above

        settings = ListenSettings(app=said) if said else ListenSettings()
        with _unheard():
            return loaded_of(settings).handlers
    except Exception:  # noqa: BLE001 # see above
        return None
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _unheard() -> Iterator[None]:
    """What the application prints as it is imported would stand in the line that somebody types."""
    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        yield


def _groups(handlers: Handlers) -> Iterable[str]:
    """Their short names first: they are enough."""
    full = [handler.group for handler in handlers]
    return [*(name.removeprefix(f"{handlers.app}.") for name in full), *full]


def _signals(_handlers: Handlers) -> Iterable[str]:
    """All that importing the application has declared."""
    from oyez.schemas import catalogue  # noqa: PLC0415 # as above

    return [declaration.name for declaration in catalogue]


def _handler_names(handlers: Handlers) -> Iterable[str]:
    return [handler.name for handler in handlers]


signals = _completing(_signals)
groups = _completing(_groups)
handler_names = _completing(_handler_names)
groups_and_handlers = _completing(lambda handlers: [*_groups(handlers), *_handler_names(handlers)])


def settings(incomplete: str) -> list[str]:
    """Names of settings."""
    from oyez.producers.settings_names import names_of_all  # noqa: PLC0415 # as above

    return sorted(name for name in names_of_all() if name.startswith(incomplete))
