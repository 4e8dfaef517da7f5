"""Rows of the retry table as they are read: whole, to be run, or only what says which may be run."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from sqlalchemy import Select, select

from oyez.schemas.declaration import Prerequisite

from .delivery_row import Columns, delivery_row, headers_of, letter_row
from .tables import parked


class Placed(Protocol):
    """What is known of every row that was read: its id and its place among those of its (handler, key)."""

    @property
    def id(self) -> int: ...

    @property
    def handler(self) -> str: ...

    @property
    def key_text(self) -> str | None: ...

    @property
    def rank(self) -> int: ...

    @property
    def ordered(self) -> bool: ...

    @property
    def due_at(self) -> float | None: ...


class Candidate(NamedTuple):
    """A row that may be run, without its event: much shorter to read."""

    id: int
    handler: str
    key_text: str | None
    rank: int
    ordered: bool
    due_at: float | None
    starts: int


def candidates() -> Select[Any]:
    """A statement whose rows are those of `Candidate`."""
    row = parked.c
    return select(row.id, row.handler, row.key, row.rank, row.ordered, row.due_at, row.starts)


class Standing(NamedTuple):
    """What may have changed of a row since it was parked, for whoever knows the rest of one that waits for nothing."""

    id: int
    group: str
    handler: str
    key_text: str | None
    rank: int
    ordered: bool
    attempts: int
    starts: int
    due_at: float | None
    head_since: float | None
    error: str | None
    first_attempt: str | None


def standings() -> Select[Any]:
    """A statement whose rows are those of `Standing`."""
    row = parked.c
    names = (row.id, row.group_name, row.handler, row.key, row.rank, row.ordered)
    return select(*names, row.attempts, row.starts, row.due_at, row.head_since, row.error, row.first_attempt)


class ParkedRow:
    """One row of the retry table. It also is the record that the event was: see `Original`."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        """``row`` is one of `whole_rows`. By their order: by their names takes three times as long."""
        wait_signal: str | None
        wait_subject: str
        self.id: int
        self.group: str
        self.handler: str
        self.signal: str
        self.source: str
        self.event_id: str
        self.key_text: str | None
        self.subject: str | None
        self.rank: int
        self.ordered: bool
        self.attempts: int
        self.starts: int
        self.due_at: float | None
        self.head_since: float | None
        self.parked_at: float
        self.error: str | None
        self._value: bytes | None
        self._headers: str | None
        self.first_attempt: str | None
        (
            self.id,
            self.group,
            self.handler,
            self.signal,
            self.source,
            self.event_id,
            self.key_text,
            self.subject,
            self.rank,
            self.ordered,
            wait_signal,
            wait_subject,
            self.attempts,
            self.starts,
            self.due_at,
            self.head_since,
            self.parked_at,
            self.error,
            self._value,
            self._headers,
            self.first_attempt,
        ) = row
        self.waits = None if wait_signal is None else Prerequisite(wait_signal, wait_subject)

    def value(self) -> bytes | None:
        return self._value

    def key(self) -> bytes | None:
        return None if self.key_text is None else self.key_text.encode()

    def headers(self) -> list[tuple[str, bytes]]:
        return headers_of(self._headers)

    def letter(self, app: str, reason: str, now: float) -> Columns:
        """The dead letter that it becomes."""
        row = delivery_row(
            self,
            app=app,
            group=self.group,
            handler=self.handler,
            signal=self.signal,
            source=self.source,
            event_id=self.event_id,
            key=self.key_text,
            subject=self.subject,
            parked_at=self.parked_at,
            rank=self.rank,
            ordered=self.ordered,
            waits=self.waits,
            attempts=self.attempts,
            error=self.error,
            first_attempt=self.first_attempt,
        )
        return letter_row(row, reason, now, parked_id=self.id)


def whole_rows() -> Select[Any]:
    """A statement whose rows `ParkedRow` takes."""
    row = parked.c
    return select(
        row.id,
        row.group_name,
        row.handler,
        row.signal,
        row.source,
        row.event_id,
        row.key,
        row.subject,
        row.rank,
        row.ordered,
        row.wait_signal,
        row.wait_subject,
        row.attempts,
        row.starts,
        row.due_at,
        row.head_since,
        row.parked_at,
        row.error,
        row.value,
        row.headers,
        row.first_attempt,
    )
