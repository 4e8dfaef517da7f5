"""Which rows a statement may meet other transactions in: what the order of two steps can depend on.

Coarse is safe: whatever is not known here is taken for the whole table. What is known:

- the statements over prerequisites name their prerequisites, those over positions and the inbox their group;
- a new row is seen by nobody before the commit, and can only meet another new one;
- what a handler has noted (a table named ``done``) meets other notes of that handler and key: their order is what
  tests look at;
- start notes that are named by their numbers are those of whoever names them, and meet only one who looks at all;
- rows and notes that are deleted or changed by their id were claimed, and prerequisites that are marked were locked, by
  an earlier statement of the same transaction. (A step of this kind that has to wait all the same fails the test.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

_SCHEMA = re.compile(r'"?\w+"?\.(?=oyez_)')
_NAMED = re.compile(r"oyez_\w+")
_WRITTEN = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (oyez_\w+)")
_NOTED = re.compile(r"INSERT INTO done ")
_OWN = "oyez_start own"
_NAMED_START = re.compile(r"oyez_start\.id (= %|= ANY|IN)|JOIN oyez_start ON oyez_start\.id = %")
_MINE = re.compile(
    r"DELETE FROM oyez_parked WHERE oyez_parked\.id = ANY \(%"
    r"|UPDATE oyez_parked SET .* WHERE oyez_parked\.id = %"
    r"|UPDATE oyez_prerequisite SET met_at"
    r"|DELETE FROM oyez_behind WHERE oyez_behind\.id = ANY \(%"
)


class Footprint(NamedTuple):
    """What a statement reads, what it may lock, and what its transaction's commit will show to others."""

    reads: frozenset[str]
    locks: frozenset[str]
    shows: frozenset[str]

    @property
    def is_hidden(self) -> bool:
        """Whether nobody else can notice the statement, nor it anybody else."""
        return not self.reads and not self.locks


def overlap(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether any row is of both, which are of different actors. A table's name alone stands for all of its rows."""
    if some & others - {_OWN}:
        return True
    tables, other_tables = _tables_of(some), _tables_of(others)
    return bool(some & other_tables or others & tables)


@cache
def _tables_of(rows: frozenset[str]) -> frozenset[str]:
    return frozenset(row.partition(" ")[0] for row in rows)


@cache
def plain(statement: str) -> str:
    """A statement in one line, its tables without the schema that they are in."""
    return _SCHEMA.sub("", " ".join(statement.split()))


def footprint(statement: str, parameters: Any) -> Footprint:
    """The footprint of one of Oyez's statements; of another one, nothing."""
    flat = plain(statement)
    tables, written = _tables(flat)
    named = frozenset(row for table in tables for row in _rows(table, parameters))
    if _NAMED_START.search(flat):
        named = named - {"oyez_start"} | {_OWN}
    if _NOTED.match(flat):
        notes = parameters if isinstance(parameters, list) else [parameters]
        note = frozenset(f"done {one['handler']} {one['key']}" for one in notes)
        return Footprint(frozenset(), note, note)
    if written is None:
        locks = named if "FOR UPDATE" in flat else frozenset()
        return Footprint(named, locks, locks)
    verb, table = written.groups()
    shows = frozenset({_OWN} if _OWN in named and table == "oyez_start" else _rows(table, parameters))
    if _MINE.match(flat):
        return Footprint(frozenset(), frozenset(), shows)
    if verb == "INSERT INTO" and table in ("oyez_parked", "oyez_dead", "oyez_behind", "oyez_start"):
        return Footprint(frozenset(), frozenset({f"new {table}"}), shows)
    return Footprint(named, shows, shows)


@cache
def _tables(flat: str) -> tuple[frozenset[str], re.Match[str] | None]:
    """The tables that a statement names, and what it does to which."""
    return frozenset(_NAMED.findall(flat)), _WRITTEN.search(flat)


def _rows(table: str, parameters: Any) -> list[str]:
    if isinstance(parameters, Mapping):
        if table == "oyez_prerequisite" and "given_signal" in parameters:
            columns = (_array(parameters[name]) for name in ("given_signal", "given_subject"))
            prerequisites = zip(*columns, strict=True)
            return [f"{table} {signal} {subject}" for signal, subject in prerequisites]
        if table in ("oyez_position", "oyez_inbox") and "group" in parameters:
            return [f"{table} {parameters['group']}"]
    return [table]


def _array(text: str) -> list[str]:
    """The texts in an array as PostgreSQL writes it: of those that tests use, as JSON does."""
    found: list[str] = json.loads(f"[{text[1:-1]}]")
    return found
