"""Where a filter has found nothing: maybe since it names a signal or a handler that there is none of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from oyez.schemas import OyezError, catalogue
from oyez.schemas.nearest import did_you_mean

from ...database.stored_names import is_stored
from ...handlers.application import Application
from ...settings import ListenSettings
from . import output
from .application import loaded_of

Noun = Literal["signal", "handler"]


@dataclass(frozen=True)
class Known:
    """The names that an application declares."""

    app: str
    names: dict[Noun, Collection[str]]

    @classmethod
    def of(cls, application: Application) -> Known:
        """Those of an application that is loaded."""
        handlers = [one.name for one in application.handlers]
        return cls(
            application.name, {"handler": handlers, "signal": [one.name for one in application.signals]}
        )

    @classmethod
    def found(cls, settings: ListenSettings) -> Known | None:
        """Those of the application that is set; None if there is none, or it cannot be loaded: what is stored is listed
        all the same."""
        try:
            handlers = loaded_of(settings).handlers if settings.app else None
        except OyezError:
            return None
        if handlers is None:
            return None
        names = [one.name for one in handlers]
        return cls(handlers.app, {"handler": names, "signal": [one.name for one in catalogue]})

    def tell(self, db: Connection, *, signal: str | None, handler: str | None) -> None:
        """Say which of these there is none of, with the nearest, unless it is declared or something stored has it."""
        self._tell(db, "handler", handler)
        self._tell(db, "signal", signal)

    def _tell(self, db: Connection, noun: Noun, name: str | None) -> None:
        if name is None or name in self.names[noun] or is_stored(db, self.app, noun, name):
            return
        output.note(f"{self.app} has no {noun} {name}{did_you_mean(name, self.names[noun])}")


def tell_unknown(
    db: Connection, settings: ListenSettings, *, signal: str | None, handler: str | None = None
) -> None:
    """Nothing was found for these names: say which of them there is none of."""
    if signal is None and handler is None:
        return
    known = Known.found(settings)
    if known is not None:
        known.tell(db, signal=signal, handler=handler)
