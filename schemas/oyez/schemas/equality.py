"""Whether two values are the same where == does not say so, or stops at what is inside."""

from collections import deque
from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

_PLAIN = frozenset((str, int, bool, type(None), bytes, UUID, date, timedelta))
_YEAR_ONE = datetime(1, 1, 1)  # noqa: DTZ001 # what is measured from it has no zone either


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal at every depth, where NaN is equal to NaN and an instant to itself, and only the
    fields of a model count."""
    try:
        return bool(_form(one) == _form(other))
    except (ValueError, TypeError, ArithmeticError):  # whatever the == of a class does
        return False


def _form(value: Any) -> Any:
    """What is equal for all that are the same; hashable if the value is.

    Two keys may have one form, and be read as one: so sets and dicts have their length with them.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, BaseModel):
        return _of_model(value)
    if isinstance(value, dict):
        return len(value), {_key(key): _form(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return len(value), frozenset(map(_key, value))
    return _of_items(value) if isinstance(value, list | tuple | deque) else _of_other(value)


def _of_items(value: list[Any] | tuple[Any, ...] | deque[Any]) -> Any:
    forms = map(_form, value)
    if isinstance(value, tuple):
        return tuple(forms)
    return list(forms) if isinstance(value, list) else (deque, *forms)


def _of_other(value: Any) -> Any:
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, float | complex | Decimal):
        return _number(value)
    if is_dataclass(value) and not isinstance(value, type):
        held = ((one.name, getattr(value, one.name, None)) for one in fields(value) if one.compare)
        return type(value), tuple((name, _form(one)) for name, one in held)
    return value


def _key(value: Hashable) -> Any:
    """The form of a key, or of an item of a set. A class may have a hash though what it holds has none."""
    form = _form(value)
    try:
        hash(form)
    except TypeError:
        return value
    return form


def _of_model(model: BaseModel) -> Any:
    """Properties that are cached stand beside the fields."""
    held = model.__dict__
    kind = model.__pydantic_generic_metadata__["origin"] or type(model)
    known = tuple((name, _form(held[name])) for name in type(model).model_fields if name in held)
    extra = model.__pydantic_extra__
    return (kind, known, _form(extra)) if extra else (kind, known)


def _instant(time: datetime) -> Any:
    """Of an hour that comes twice, == says no. A timedelta goes beyond the years 1 and 9999, a datetime in UTC not."""
    offset = time.utcoffset()
    return time if offset is None else ("instant", time.replace(tzinfo=None) - _YEAR_ONE - offset)


def _number(number: Any) -> Any:
    is_nan = number.is_nan() if isinstance(number, Decimal) else number != number  # noqa: PLR0124 # only NaN is not
    return (type(number), str(number)) if is_nan else number
