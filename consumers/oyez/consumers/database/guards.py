"""Errors of the driver, told as what they mean. Every transaction is within several of these: to enter one costs a
call, where a generator would cost five."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from sqlalchemy.exc import DBAPIError


class Meaning:
    """Raises, in place of an error of the driver, what that ``means``; None, or the error itself: it stays."""

    def __init__(self, means: Callable[[DBAPIError], Exception | None]) -> None:
        self._means = means

    def __enter__(self) -> None:
        """Nothing has happened yet."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DBAPIError):
            meant = self._means(error)
            if meant is not None and meant is not error:
                raise meant from error


class Counted:
    """Calls ``count`` for each error of a ``kind``."""

    def __init__(self, kind: type[Exception], count: Callable[[], None]) -> None:
        self._kind = kind
        self._count = count

    def __enter__(self) -> None:
        """Nothing has happened yet."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, self._kind):
            self._count()
