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
    from sqlalchemy.orm import Session

Injected: TypeAlias = "type[Session] | type[Connection] | type[Tool]"


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
    """``injected`` maps the names of the further parameters to the types to inject."""

    form: Form
    injected: dict[str, Injected]

    @property
    def tools(self) -> tuple[type[Tool], ...]:
        """The kinds of tools among what is injected."""
        return tuple({kind: None for kind in self.injected.values() if issubclass(kind, Tool)})


def read_signature(
    function: Callable[..., object], model: type[BaseModel], unannotated: Form = Form.MODEL
) -> Signature:
    """Read and check a handler's signature; raises `RegistrationError` with the way out.

    ``unannotated`` is the form of an event that has no annotation.
    """
    where = place(function)
    _refuse_kinds(function, where)
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
    return Signature(form, {parameter.name: _injected(parameter, hints, where) for parameter in needed})


def _refuse_kinds(function: Callable[..., object], where: str) -> None:
    if not callable(function):
        raise RegistrationError(f"{where}: that cannot be called; register a function")
    for layer in layers(function):
        if inspect.iscoroutinefunction(layer) or inspect.isasyncgenfunction(layer):
            raise RegistrationError(
                f"{where}: coroutine handlers are not supported: calling one would do nothing; write a plain def"
            )
        if inspect.isgeneratorfunction(layer):
            raise RegistrationError(
                f"{where}: generator handlers are not supported: calling one would do nothing; remove the yield"
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
            f"{where}: parameter {parameter.name} cannot be injected; annotate it with Session, Connection or a tool "
            f"such as HandlerAnnouncer, or give it a default"
        )
    return kind


def _kind(hint: object) -> Injected | None:
    if not isinstance(hint, type):
        return None
    if issubclass(hint, Tool) and hint is not Tool:
        return None if inspect.isabstract(hint) else hint
    return hint if _is_database(hint) else None


def _is_database(kind: type) -> TypeGuard[type[Session] | type[Connection]]:
    """Whether it is one of SQLAlchemy's two. A handler that needs no database does not load SQLAlchemy, and one that
    names a class of it has done so."""
    if kind.__module__.partition(".")[0] != "sqlalchemy":
        return False
    from sqlalchemy import Connection  # noqa: PLC0415 # see above
    from sqlalchemy.orm import Session  # noqa: PLC0415 # see above

    return kind is Session or kind is Connection
