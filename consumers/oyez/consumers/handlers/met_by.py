"""Functions that say what is met by the application's own tables, for what is not recorded: see `Handlers.met_by`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from oyez.schemas.declaration import Declaration

from ..core.callables import layers, place
from .signature import RegistrationError

if TYPE_CHECKING:  # whoever registers handlers needs no SQLAlchemy
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

MetBy: TypeAlias = "Callable[[Connection, Sequence[str]], Iterable[str]]"
"""Returns those of the subjects given for which its signal has been handled."""


def check_met_by(function: Callable[..., object], declaration: Declaration) -> None:
    """Raises `RegistrationError` for a signal or a function that cannot be asked, with the way out."""
    where = place(function)
    if declaration.subject is None:
        raise RegistrationError(
            f"{where}: met_by({declaration.name}), which has no subject to be asked for; give that signal subject="
        )
    for layer in layers(function):
        if inspect.iscoroutinefunction(layer) or inspect.isasyncgenfunction(layer):
            raise RegistrationError(
                f"{where}: coroutine functions are not supported: calling one would say nothing; write a plain def"
            )
    try:
        inspect.signature(function).bind(None, ())
    except (TypeError, ValueError):
        raise RegistrationError(
            f"{where}: met_by calls it with a connection and the subjects; write def name(db, subjects)"
        ) from None
