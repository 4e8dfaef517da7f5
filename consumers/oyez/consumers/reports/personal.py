"""All that is stored of a key or subject, wherever it is. The same that is exported is what can be forgotten."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, select

from oyez.producers.spool import Folder
from oyez.producers.spool_shipping.refused import FILE, refused_of

from ..database import personal, tables
from ..database.delivery_row import headers_of
from ..database.inbox import EventId
from ..database.journal_table import journal
from ..database.personal import Person
from .spool_segments import pieces
from .whose import attributes_of


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that is stored: in which table or folder, by which id there, of which event. Of a mail ``content`` does
    not have all; see `whole`."""

    where: str
    number: int | None
    event: EventId | None
    content: dict[str, Any]


def stored(db: Connection, person: Person, folders: Sequence[Folder]) -> Iterator[Stored]:
    """Everything that is theirs."""
    events: set[EventId] = set()
    for one in chain(
        _in_tables(db, person),
        _scheduled(db, person),  # before the outbox: into that it moves
        _in_outbox(db, person),
        _in_spool(folders, person),
    ):
        if one.event is not None:
            events.add(one.event)
        yield one
    for row in personal.prerequisites_of(db, person):
        yield Stored("prerequisites", None, None, _plain(row))
    for row in personal.pauses_of(db, person):
        yield Stored("pauses", None, None, _plain(row))
    yield from _in_mail(db, person, events)
    for row in personal.inbox_of(db, person, sorted(events)):
        yield Stored("inbox", None, (row.source, row.event_id), _plain(row))


def whole(db: Connection, one: Stored) -> dict[str, Any]:
    """All that is stored there. Whoever only counts or deletes mails need not read what is in them."""
    if one.where != "mail":
        return one.content
    row = db.execute(select(tables.mail).where(tables.mail.c.id == one.number)).one_or_none()
    return one.content if row is None else _plain(row)


def _in_tables(db: Connection, person: Person) -> Iterator[Stored]:
    for where, table in (("parked", tables.parked), ("dead", tables.dead), ("journal", journal)):
        for row in personal.rows_of(db, table, person.of(table)):
            yield Stored(where, row.id, (row.source, row.event_id), _plain(row))
    yield from _undecodable(db, person)


def _undecodable(db: Connection, person: Person) -> Iterator[Stored]:
    """Dead letters of records that are no event have no subject, and the key of the record, if it had one. Those with
    their key are found already. The others are read as a whole."""
    dead = tables.dead
    for row in personal.rows_of(db, dead, dead.c.app == person.app, dead.c.handler == ""):
        is_found = person.is_key and row.key == person.text
        if not is_found and person.has(attributes_of(row.value, headers_of(row.headers))):
            yield Stored("dead", row.id, None, _plain(row))


def _scheduled(db: Connection, person: Person) -> Iterator[Stored]:
    for row in personal.rows_of(db, tables.scheduled, person.announced_in(tables.scheduled)):
        yield Stored("scheduled", row.id, (row.source, row.event_id), _plain(row))


def _in_outbox(db: Connection, person: Person) -> Iterator[Stored]:
    """The outbox has neither subjects nor an index of keys: it is read as a whole."""
    for row in personal.rows_of(db, tables.outbox):
        event = _event(bytes(row.value))
        if (person.is_key and row.key == person.text) or person.has(event):
            yield Stored("outbox", row.id, event_id(event), _plain(row))


def _in_spool(folders: Sequence[Folder], person: Person) -> Iterator[Stored]:
    is_theirs = finder(person)
    for folder in folders:
        for piece in pieces(folder):
            for position, line in piece.lines():
                if is_theirs(line.rstrip(b"\n")):
                    place = {
                        "file": str(piece.path),
                        "position": position,
                        "event": _said(line.rstrip(b"\n")),
                    }
                    yield Stored("spool", None, event_id(_event(line)), place)
        for refused in refused_of(folder.path, is_theirs):
            event = _event(str(refused["record"]).encode("utf-8", "surrogateescape"))
            yield Stored("spool", None, event_id(event), {"file": str(folder.path / FILE), **refused})


def _in_mail(db: Connection, person: Person, events: set[EventId]) -> Iterator[Stored]:
    """The mails that their events have queued, and those to them alone, if they are an address."""
    for row in personal.mails_of(db, person):
        event = (row.source, row.event_id)
        if event in events or {*json.loads(row.recipients)} == {person.text}:
            yield Stored("mail", row.id, None if row.event_id is None else event, _plain(row))


def finder(person: Person) -> Any:
    """Says of a line of the spool whether it is theirs. Most are not, which a look at its bytes shows."""
    needle = person.text.encode()

    def is_theirs(line: bytes) -> bool:
        return (needle in line or b"\\" in line) and person.has(attributes_of(line))

    return is_theirs


def event_id(event: Any) -> EventId | None:
    """What identifies an event, as JSON has it."""
    if not isinstance(event, dict) or not {"source", "id"} <= event.keys():
        return None
    return str(event["source"]), str(event["id"])


def _event(value: bytes) -> Any:
    try:
        return from_json(value)
    except ValueError:
        return None


def _plain(row: Any) -> dict[str, Any]:
    return {name: _said(value) for name, value in row._asdict().items()}


def _said(value: Any) -> Any:
    """Bytes as the JSON, or the text, that they are."""
    if not isinstance(value, bytes | memoryview):
        return value
    whole = bytes(value)
    found = _event(whole)
    if found is not None:
        return found
    try:
        return whole.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(whole).decode()}
