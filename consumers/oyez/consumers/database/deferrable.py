"""Which statements of handlers need not be waited for: those that write, answer nothing, and mean the same a moment
later."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, Column, Delete, Insert, Table, TextClause, Update, insert
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine, UserDefinedType

Parameters = Mapping[str, Any]

_FIXED = frozenset({str, int, float, bool, bytes, type(None), Decimal, datetime, date, time, timedelta, UUID})
"""Types whose values stay as they are, whatever the handler does next."""
_WRITES = re.compile(
    r"\s*(?:insert|update|delete)\b(?!.*(?:\breturning\b|\bset_config\b|;))", re.IGNORECASE | re.DOTALL
)

_BARE = {"table", "_values", "_memoized_keys"}


class Deferrable(NamedTuple):
    """A statement and its parameters, apart from each other: many of one statement are sent at once."""

    statement: Any
    parameters: Parameters

    def is_like(self, other: Deferrable) -> bool:
        """Whether both are the same statement with other values. Handlers make a new object of it for each event."""
        one, another = self.statement, other.statement
        return (
            bool(self.parameters)
            and self.parameters.keys() == other.parameters.keys()
            and (one is another or (type(one) is type(another) is TextClause and one.text == another.text))
        )


def deferrable(statement: Any, given: Parameters) -> Deferrable | None:
    """The statement, if it is plain enough to be sent later whoever has made it: a text, or an INSERT of values."""
    if type(statement) is TextClause:
        plain = writes_only(statement.text) and _is_plain(statement)
        return Deferrable(statement, dict(given)) if plain and are_fixed(given.values()) else None
    if type(statement) is Insert and _is_bare(statement) and not makes_values(statement.table):
        values = _values(statement)
        parameters = {**values, **given}
        if parameters and are_fixed(parameters.values()) and all(one in statement.table.c for one in values):
            return Deferrable(_plain_insert(statement.table), parameters)
    return None


@lru_cache(256)
def _plain_insert(table: Table) -> Insert:
    return insert(table)


def deferrable_again(statement: Any, given: Parameters) -> Deferrable | None:
    """The same for a statement that `is_the_same_each_time`, and has been sent before as the very object that it is."""
    return Deferrable(statement, dict(given)) if given and are_fixed(given.values()) else None


def is_the_same_each_time(statement: Any) -> bool:
    """Whether an INSERT, UPDATE or DELETE answers nothing, and holds nothing but its parameters that may be another for
    the next event, or that cannot be given for many."""
    if not isinstance(statement, Insert | Update | Delete) or _answers(statement):
        return False
    return (
        not statement.get_execution_options()
        and not makes_values(statement.table)
        and all(_stays(one) for one in iterate(statement) if isinstance(one, BindParameter))
    )


def _stays(bound: BindParameter[Any]) -> bool:
    fixed = bound.required or are_fixed([bound.value])
    return fixed and bound.callable is None and not _is_one_of_many(bound) and not _is_made(bound.type)


def _is_one_of_many(bound: BindParameter[Any]) -> bool:
    """Whether it is written into the statement when it is sent, as the values of an IN are."""
    return bound.expanding or bound.literal_execute


def are_fixed(values: Collection[Any]) -> bool:
    """Whether nobody can change these."""
    return _FIXED.issuperset(map(type, values)) or all(
        type(value) in _FIXED or isinstance(value, Enum) for value in values
    )


@lru_cache(256)
def writes_only(text: str) -> bool:
    """Whether a statement's text writes, and neither answers nor sets anything."""
    return _WRITES.match(text) is not None


@lru_cache(256)
def makes_values(table: Any) -> bool:
    """Whether Python makes values for some of a table's columns, or changes them: maybe by what a handler has in
    hand."""
    return not isinstance(table, Table) or any(map(_makes_values, table.columns))


def _makes_values(column: Column[Any]) -> bool:
    made = [one for one in (column.default, column.onupdate) if one is not None]
    return _is_made(column.type) or any(one.is_callable for one in made)


def _is_made(kind: TypeEngine[Any]) -> bool:
    """Whether a type is one that an application has written."""
    return isinstance(kind, TypeDecorator | UserDefinedType)


def _answers(statement: Insert | Update | Delete) -> bool:
    return bool(statement.returning_column_descriptions) or statement._return_defaults  # noqa: SLF001 # not public


def _is_plain(statement: TextClause) -> bool:
    """Whether it has no options, and its parameters neither values nor types of their own."""
    bound = statement._bindparams.values()  # noqa: SLF001 # there is no other way to see them
    return not statement.get_execution_options() and all(
        one.required and type(one.type) is NullType and not _is_one_of_many(one) for one in bound
    )


def _is_bare(statement: Insert) -> bool:
    """Whether it is ``insert(table)``, or that with ``values(…)``, and nothing else."""
    has = vars(statement)
    if not has.keys() <= _BARE and not has.keys() - has.get("_memoized_keys", ()) <= _BARE:
        return False
    return all(type(value) is BindParameter and _is_given(value) for value in _bound(statement).values())


def _is_given(bound: BindParameter[Any]) -> bool:
    """Whether it is a value, of the type that its column has."""
    return bound.unique and not bound.required and bound.callable is None and type(bound.type) is NullType


def _bound(statement: Insert) -> Mapping[Any, Any]:
    return vars(statement).get("_values") or {}


def _values(statement: Insert) -> dict[str, Any]:
    return {getattr(column, "key", column): bound.value for column, bound in _bound(statement).items()}
