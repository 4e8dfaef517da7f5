"""What a handler may do with a database error that it meets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import DBAPIError


def plainly(act: Callable[[], Any]) -> None:
    act()


def wrapped(act: Callable[[], Any]) -> None:
    try:
        act()
    except DBAPIError as error:
        raise RuntimeError("cannot") from error


def in_its_own_error(act: Callable[[], Any]) -> None:
    try:
        act()
    except DBAPIError:
        raise RuntimeError("cannot")  # noqa: B904


def swallowed(act: Callable[[], Any]) -> None:
    with suppress(DBAPIError):
        act()
