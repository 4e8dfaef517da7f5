"""Each rule of operations is broken once: the tests notice."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Table

from consumers.admin import test_deleted_behind_a_head as deleted
from consumers.admin import test_forget_meanwhile as meanwhile
from consumers.admin.test_interleavings import Discarding, _stepped_database, stepped_database, visits
from consumers.handlers import test_renamed_groups as renamed
from consumers.handlers.test_renamed_groups import viewed
from consumers.interleavings.signals import Script
from consumers.pipeline import Pipeline, Play
from oyez.consumers.admin import discard, forget, rename
from oyez.consumers.admin.still_required import StillRequired
from oyez.consumers.database import Database, behind

__all__ = ["_stepped_database", "stepped_database", "viewed", "visits"]


def test_whoever_deletes_without_the_lock_of_the_head_notes_the_key(
    visits: tuple[Discarding, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    unnoted = SimpleNamespace(note_keys=lambda *_: None, promote=behind.promote)
    monkeypatch.setattr(discard, "behind", unnoted)
    with pytest.raises(AssertionError):
        deleted.test_discarded_while_the_head_is_done(visits)


class Once(StillRequired):
    """Answers with what was read first."""

    def signals(self, db: Connection, table: Table) -> set[str]:
        if table in self._read:
            return {signal for signals in self._required[table].values() for signal in signals}
        self._read[table].add(0)
        return super().signals(db, table)


@pytest.mark.parametrize(
    "broken",
    [
        meanwhile.test_what_is_parked_while_deliveries_are_decoded_keeps_what_it_requires,
        meanwhile.test_what_is_parked_again_while_deliveries_are_decoded_counts_as_parked,
        meanwhile.test_what_has_ended_while_deliveries_were_decoded_keeps_nothing,
    ],
)
def test_what_is_required_is_asked_in_the_transaction_that_forgets(
    play: Play, monkeypatch: pytest.MonkeyPatch, broken: Callable[[Play], None]
) -> None:
    monkeypatch.setattr(forget, "StillRequired", Once)
    with pytest.raises(AssertionError):
        broken(play)


def test_whoever_renames_a_group_asks_for_its_workers_at_the_end_too(
    viewed: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rename.Renaming._require_idle

    def at_first(one: rename.Renaming, log: Any, database: Database) -> None:
        if type(database) is Database:
            asked(one, log, database)

    monkeypatch.setattr(rename.Renaming, "_require_idle", at_first)
    with pytest.raises(pytest.fail.Exception):
        renamed.test_a_worker_that_comes_meanwhile_stops_it(viewed)
