"""What a handler's signature asks for: the form of its event, and the parameters to inject."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from pydantic import BaseModel

from oyez.schemas import Event, OyezError

from ..core.callables import innermost, layers, place
from .tools import Tool

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session

Plain: TypeAlias = "type[Session] | type[Connection]"
Injected: TypeAlias = "Plain | type[AsyncSession] | type[AsyncConnection] | type[Tool]"


class RegistrationError(OyezError):
    """A handler cannot be registered as it is written; the message names it and says what to change."""


class Form(Enum):
    """How a handler takes its event."""

    MODEL = "the signal's model"
    EVENT = "Event[…]"
    MODELS = "a list of models"
    EVENTS = "a list of Event[…]"

    @property
    def is_batch(self) -> bool:
        return self in (Form.MODELS, Form.EVENTS)

    @property
    def is_event(self) -> bool:
        return self in (Form.EVENT, Form.EVENTS)


@dataclass(frozen=True)
class Signature:
    """``injected`` maps the names of the further parameters to the types to inject; ``is_async``: it is awaited."""

    form: Form
    injected: dict[str, Injected]
    is_async: bool = False

    @property
    def tools(self) -> tuple[type[Tool], ...]:
        """The kinds of tools among what is injected."""
        kinds = dict.fromkeys(self.injected.values())
        return tuple(kind for kind in kinds if issubclass(kind, Tool))


def read_signature(
    function: Callable[..., object], model: type[BaseModel], unannotated: Form = Form.MODEL
) -> Signature:
    """Read and check a handler's signature; raises `RegistrationError` with the way out.

    ``unannotated`` is the form of an event that has no annotation.
    """
    where = place(function)
    is_async = _is_async(function, where)
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise RegistrationError(
            f"{where}: a handler's first parameter is the event, given by position; write def handler(event, …)"
        )
    first, *others = parameters
    needed = [parameter for parameter in others if parameter.default is parameter.empty]
    hints = _hints(function, {first.name, *(parameter.name for parameter in needed)}, where)
    form = _form(hints[first.name], model, where) if first.name in hints else unannotated
    injected = {parameter.name: _injected(parameter, hints, where) for parameter in needed}
    for name, kind in injected.items():
        _check_way(f"{where}: parameter {name}", kind, is_async=is_async)
    return Signature(form, injected, is_async)


def _is_async(function: Callable[..., object], where: str) -> bool:
    """Whether the function is to be awaited; refuses what cannot be called."""
    if not callable(function):
        raise RegistrationError(f"{where}: that cannot be called; register a function")
    is_async = False
    for layer in layers(function):
        if inspect.isgeneratorfunction(layer) or inspect.isasyncgenfunction(layer):
            raise RegistrationError(
                f"{where}: generator handlers are not supported: calling one would do nothing; remove the yield"
            )
        is_async = is_async or inspect.iscoroutinefunction(layer)
    return is_async


def _check_way(where: str, kind: Injected, *, is_async: bool) -> None:
    """An `async def` waits for its database; a `def` cannot."""
    if issubclass(kind, Tool):
        return
    waits = kind.__name__.startswith("Async")
    if is_async and not waits:
        raise RegistrationError(
            f"{where} is {kind.__name__}, which would hold up every other handler of the event loop; annotate it "
            f"Async{kind.__name__} (sqlalchemy.ext.asyncio)"
        )
    if waits and not is_async:
        raise RegistrationError(
            f"{where} is {kind.__name__}, which only an async def can await; annotate it "
            f"{kind.__name__.removeprefix('Async')}"
        )


def _hints(function: Callable[..., object], names: set[str], where: str) -> dict[str, Any]:
    """The annotations of the parameters that matter; what the others name need not be importable."""
    inner = innermost(function)
    try:
        said = {name: hint for name, hint in inspect.get_annotations(inner).items() if name in names}
        return typing.get_type_hints(
            types.SimpleNamespace(__annotations__=said), getattr(inner, "__globals__", {})
        )
    except Exception as error:
        raise RegistrationError(
            f"{where}: an annotation cannot be read ({error}); import what it names at module level"
        ) from error


def _form(hint: Any, model: type[BaseModel], where: str) -> Form:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and arguments:
        return Form.EVENTS if _one(arguments[0], model, where) is Form.EVENT else Form.MODELS
    return _one(hint, model, where)


def _one(hint: Any, model: type[BaseModel], where: str) -> Form:
    if (typing.get_origin(hint) or hint) is Event:
        inner = (*typing.get_args(hint), model)[0]
        form = Form.EVENT
    else:
        inner, form = hint, Form.MODEL
    if not any(_fits(member, model) for member in _members(inner)):
        raise RegistrationError(
            f"{where}: its first parameter is {getattr(inner, '__name__', inner)}, but it is registered for "
            f"{model.__name__}; annotate it {model.__name__}, Event[{model.__name__}] or a list of either"
        )
    return form


def _members(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)


def _fits(hint: Any, model: type[BaseModel]) -> bool:
    return (
        hint is Any or isinstance(hint, typing.TypeVar) or (inspect.isclass(hint) and issubclass(model, hint))
    )


def _injected(parameter: inspect.Parameter, hints: dict[str, Any], where: str) -> Injected:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise RegistrationError(f"{where}: parameter {parameter.name} cannot be injected; name it plainly")
    kind = _kind(hints.get(parameter.name))
    if kind is None:
        raise RegistrationError(
            f"{where}: parameter {parameter.name} cannot be injected; annotate it with Session or Connection (for an "
            f"async def AsyncSession or AsyncConnection) or a tool such as HandlerAnnouncer, or give it a default"
        )
    return kind


def _kind(hint: object) -> Injected | None:
    if not isinstance(hint, type):
        return None
    if issubclass(hint, Tool) and hint is not Tool:
        return None if inspect.isabstract(hint) else hint
    return hint if _is_database(hint) else None


_DATABASE = {
    ("sqlalchemy.engine.base", "Connection"),
    ("sqlalchemy.orm.session", "Session"),
    ("sqlalchemy.ext.asyncio.engine", "AsyncConnection"),
    ("sqlalchemy.ext.asyncio.session", "AsyncSession"),
}
"""By their names: a handler that needs no database does not load SQLAlchemy."""


def _is_database(kind: type) -> TypeGuard[Plain | type[AsyncSession] | type[AsyncConnection]]:
    """Whether it is one of SQLAlchemy's four."""
    return (kind.__module__, kind.__qualname__) in _DATABASE
