"""The class keywords of a signal, checked."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict

from .catalogue import Catalogue
from .declaration import Declaration
from .errors import SchemaError
from .nearest import meant_or_all
from .readable import refuse_unreadable
from .requirements import without_subject

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,199}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Options(ConfigDict, total=False):
    """The keywords of `class X(Signal, …)`; pydantic's own configuration may be given there too."""

    name: str
    number: int | None
    key: str | None
    subject: str | None
    requires: Mapping[type[BaseModel] | str, str]
    remember: timedelta | None
    topic: str | None
    version: int
    catalogue: Catalogue


def refuse_unknown(model: type[BaseModel], options: Iterable[str]) -> None:
    """SchemaError: one of the keywords is none. Pydantic has taken its own already."""
    own = [name for name in Options.__annotations__ if name not in ConfigDict.__annotations__]
    for name in options:
        if name not in own:
            raise SchemaError(f"{model.__qualname__}: there is no keyword {name}=; {meant_or_all(name, own)}")


def declare(model: type[BaseModel], options: Mapping[str, Any]) -> Declaration:
    """The declaration that `options` make for `model`. SchemaError: one of them is wrong."""
    owner = model.__qualname__
    declaration = Declaration(
        name=_name(owner, options["name"]),
        number=_number(owner, options.get("number")),
        model=model,
        key=_field(model, "key", options.get("key")),
        subject=_field(model, "subject", options.get("subject")),
        requires=requirements_of(model, options.get("requires", {})),
        remember=_remember(owner, options.get("remember", timedelta(days=30))),
        topic=_topic(owner, options.get("topic")),
        version=_version(owner, options.get("version", 1)),
    )
    _check_self_requirement(owner, declaration)
    if model.__pydantic_complete__:  # else what it names is defined later, and it is looked at then
        refuse_unreadable(model)
    return declaration


def _check_self_requirement(owner: str, declaration: Declaration) -> None:
    if declaration.name not in declaration.requires:
        return
    if declaration.subject is None:
        raise SchemaError(without_subject(owner, declaration.name))
    if declaration.requires[declaration.name] == declaration.subject:
        raise SchemaError(
            f"{owner}: requires itself by its own subject field {declaration.subject!r}, so it would wait "
            "for itself; name the field that holds the other subject (its parent, say)"
        )


def _name(owner: str, name: object) -> str:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise _invalid(owner, "name", name, "use a letter, then letters, digits, '.', '_' or '-', 200 at most")


def _number(owner: str, number: object) -> int | None:
    if number is None or (type(number) is int and number > 0):
        return number
    raise _invalid(owner, "number", number, "use a positive whole number, or none")


def _remember(owner: str, remember: object) -> timedelta | None:
    if remember is None or (isinstance(remember, timedelta) and remember > timedelta(0)):
        return remember
    raise _invalid(owner, "remember", remember, "use a positive timedelta, or None for ever")


def _topic(owner: str, topic: object) -> str | None:
    if topic is None or (isinstance(topic, str) and _TOPIC.fullmatch(topic)):
        return topic
    raise _invalid(owner, "topic", topic, "use letters, digits, '.', '_' or '-', 249 at most")


def _version(owner: str, version: object) -> int:
    if type(version) is int and 0 < version < 1_000_000_000:
        return version
    raise _invalid(owner, "version", version, "use a positive whole number; the first is 1")


def _invalid(owner: str, option: str, value: object, advice: str) -> SchemaError:
    return SchemaError(f"{owner}: {option}={value!r} is not valid; {advice}")


def _field(model: type[BaseModel], option: str, field: object) -> str | None:
    if field is None:
        return None
    if isinstance(field, str) and field in model.model_fields:
        return field
    known = ", ".join(model.model_fields) or "none"
    raise SchemaError(
        f"{model.__qualname__}: {option} names the field {field!r}, which does not exist; it has: {known}"
    )


def requirements_of(model: type[BaseModel], requires: object) -> Mapping[str, str]:
    """What `requires` says, by the required signals' names. SchemaError: naming the class and the field."""
    if not isinstance(requires, Mapping):
        raise _invalid(model.__qualname__, "requires", requires, "use a dict of signal -> field")
    fields = {_required_name(model, signal): field for signal, field in requires.items()}
    for name, field in fields.items():
        if _field(model, f"requires[{name!r}]", field) is None:
            raise _invalid(model.__qualname__, f"requires[{name!r}]", field, "give a field's name")
    return MappingProxyType(fields)


def _required_name(model: type[BaseModel], signal: object) -> str:
    if isinstance(signal, str):
        return _name(f"{model.__qualname__}: requires", signal)
    declared: Declaration | None = getattr(signal, "__oyez__", None) if isinstance(signal, type) else None
    if declared is None:
        raise SchemaError(f"{model.__qualname__}: requires names {signal!r}, which is no named signal")
    if declared.subject is None:
        raise SchemaError(without_subject(model.__qualname__, declared.name))
    return declared.name
