"""What `Handlers(…)` and `@on(…)` are told, checked. Each raises `RegistrationError` with the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from oyez.schemas import Declaration, SchemaError, Signal, requirements_of

from .layers import place
from .signature import RegistrationError

_APP = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,199}")
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,199}")
_NAME = re.compile(r"[^\W\d][\w.-]{0,199}")


def app_name(given: object) -> str:
    """An application's name. It has no dots: they end it in the names of its groups."""
    if isinstance(given, str) and _APP.fullmatch(given):
        return given
    raise RegistrationError(
        f"Handlers({given!r}): give the application a name of letters, digits, '_' and '-', 200 at most, "
        f"that begins with a letter"
    )


def handler_name(function: Callable[..., object], given: object) -> str:
    """A handler's name: the one given, else its function's."""
    name: object = getattr(function, "__name__", None) if given is None else given
    if given is None and name in (None, "<lambda>"):
        raise RegistrationError(f"{place(function)}: it has no name of its own; give it name=")
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise RegistrationError(
        f"{place(function)}: name={name!r} cannot name a handler; use letters, digits, '.', '_' and '-', "
        f"200 at most, and begin with a letter"
    )


def group_name(function: Callable[..., object], given: object, declaration: Declaration) -> str:
    """A group's short name: the one given, else the signal's."""
    if given is None:
        return declaration.name
    if isinstance(given, str) and _GROUP.fullmatch(given):
        return given
    raise RegistrationError(
        f"{place(function)}: group={given!r} cannot name a group; use letters, digits, '.', '_' and '-', "
        f"200 at most, and begin with a letter"
    )


def requirements(
    function: Callable[..., object],
    given: Mapping[type[Signal] | str, str] | None,
    declaration: Declaration,
) -> Mapping[str, str]:
    """What a handler requires: what it says itself, else its signal."""
    if given is None:
        return declaration.requires
    try:
        requires = requirements_of(declaration.model, given)
    except SchemaError as error:
        raise RegistrationError(f"{place(function)}: {error}") from None
    if declaration.subject is not None and requires.get(declaration.name) == declaration.subject:
        raise RegistrationError(
            f"{place(function)}: it requires {declaration.name} by its own subject {declaration.subject!r}, "
            f"so each event would wait for itself; name the field that holds the other subject"
        )
    return requires


def declared(signal: type[Signal]) -> Declaration:
    """A signal's declaration."""
    declaration = getattr(signal, "__oyez__", None)
    if isinstance(declaration, Declaration):
        return declaration
    raise RegistrationError(
        f"@on({signal!r}): that is no signal; give a class that says class X(Signal, name=…)"
    )
