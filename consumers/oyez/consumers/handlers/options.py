"""What `Handlers(…)` and `@on(…)` are told, checked. Each raises `RegistrationError` with the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Literal

from oyez.schemas import SchemaError, Signal
from oyez.schemas.declaration import Declaration
from oyez.schemas.options import requirements_of

from ..core.backoff import LONGEST_PAUSE, Backoff, is_number
from ..core.callables import place
from .limits import Limits
from .signature import Form, RegistrationError, Signature

Order = Literal["key", "none"]
_APP = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,199}")
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,199}")
_NAME = re.compile(r"[^\W\d][\w.-]{0,199}")
_FILE = re.compile(r"\w[\w.-]{0,199}")


@dataclass(frozen=True)
class Asked:
    """What a registration asks for, beside its signal and its function. ``batch``: whether the function takes a list,
    where that is said; ``file``: the event file that the function is from, which names the handler."""

    name: str | None = None
    group: str | None = None
    requires: Mapping[type[Signal] | str, str] | None = None
    order: Order | None = None
    completes: bool = True
    batch: bool | None = None
    file: Path | None = None
    retry: Backoff | None = None
    concurrency: int | None = None
    timeout: float | None = None
    limits: Limits | None = None


def app_name(given: object) -> str:
    """An application's name. It has no dots: they end it in the names of its groups."""
    if isinstance(given, str) and _APP.fullmatch(given):
        return given
    raise RegistrationError(
        f"Handlers({given!r}): give the application a name of letters, digits, '_' and '-', 200 at most, "
        f"that begins with a letter"
    )


def handler_name(function: Callable[..., object], asked: Asked) -> str:
    """A handler's name: its event file's, or the one given, else its function's."""
    if asked.file is not None:
        return _file_name(function, asked.file.name)
    given: object = asked.name
    name: object = getattr(function, "__name__", None) if given is None else given
    if given is None and name in (None, "<lambda>"):
        raise RegistrationError(f"{place(function)}: it has no name of its own; give it name=")
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise RegistrationError(
        f"{place(function)}: name={name!r} cannot name a handler; use letters, digits, '.', '_' and '-', "
        f"200 at most, and begin with a letter"
    )


def _file_name(function: Callable[..., object], name: str) -> str:
    if _FILE.fullmatch(name):
        return name
    raise RegistrationError(
        f"{place(function)}: the file's name cannot name a handler; use letters, digits, '.', '_' and '-', 200 at most"
    )


def form_asked(asked: Asked) -> Form:
    """How the event is taken by a function that does not say so in its annotation."""
    return Form.MODELS if asked.batch else Form.MODEL


def check_batch(function: Callable[..., object], signature: Signature, asked: Asked) -> None:
    """Refuse an annotation that contradicts what was asked for."""
    if asked.batch is None or asked.batch == signature.form.is_batch:
        return
    raise RegistrationError(
        f"{place(function)}: its first parameter is annotated as {signature.form.value}, but BATCH is {asked.batch}; "
        f"change one of them"
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


def retry_asked(function: Callable[..., object], given: object) -> Backoff | None:
    """How a handler is to be tried again; None: as the settings say."""
    if given is None or isinstance(given, Backoff):
        return given
    raise RegistrationError(
        f"{place(function)}: retry is {given!r}; give a Backoff(first=…, longest=…, attempts=…)"
    )


LANES = 16
"""The concurrency of an `async def` that does not say its own."""
MOST_LANES = 1_000


def concurrency_asked(function: Callable[..., object], asked: Asked, signature: Signature) -> int | None:
    """In how many lanes a handler runs; None: in the batch's own transaction."""
    given: object = asked.concurrency
    if given is None:
        given = LANES if signature.is_async else None
    if given is None:
        if asked.timeout is not None:
            raise RegistrationError(
                f"{place(function)}: timeout= is for a handler that runs in a lane; give it concurrency= as well"
            )
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_LANES:
        raise RegistrationError(
            f"{place(function)}: concurrency is {given!r}; give a whole number from 1 to {MOST_LANES}"
        )
    if signature.form.is_batch:
        raise RegistrationError(
            f"{place(function)}: it takes {signature.form.value}, and a handler that runs in a lane takes one event: "
            f"let it take one, or make it a plain def without concurrency="
        )
    return given


def timeout_asked(function: Callable[..., object], given: object) -> float | None:
    """For how many seconds a handler may run; None: without a limit of its own."""
    if given is None:
        return None
    if not is_number(given) or not 0 < given <= LONGEST_PAUSE:
        raise RegistrationError(
            f"{place(function)}: timeout is {given!r}; give the seconds that one event may take, more than 0"
        )
    return float(given)


def check_alone(signal: object, others: Sequence[object]) -> None:
    """Refuse several signals at once."""
    if others:
        first, second = (getattr(one, "__name__", repr(one)) for one in (signal, others[0]))
        raise RegistrationError(
            f"on({first}, {second}): a handler takes one signal; register it once for each, with a name= each: "
            f"on({first}, name=…)(function) and on({second}, name=…)(function)"
        )


def declared(signal: type[Signal], what: str = "on") -> Declaration:
    """A signal's declaration. ``what`` was called with it, in the message of the error."""
    declaration = getattr(signal, "__oyez__", None)
    if isinstance(declaration, Declaration):
        return declaration
    given: object = signal
    if isinstance(given, FunctionType):
        raise RegistrationError(
            f"{place(given)}: @{what} stands above it without its signal; write @{what}(X), with a class that says "
            f"class X(Signal, name=…)"
        )
    raise RegistrationError(
        f"@{what}({given!r}): that is no signal; give a class that says class X(Signal, name=…)"
    )
