"""Each rule of lanes that only shows when others come between is broken once: the tests of its steps notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import BigInteger, and_, bindparam

from consumers.interleavings import test_lane_failures as failures
from consumers.interleavings import test_lane_steps as steps
from oyez.consumers.database import claims, lane_claims, start_notes, stranded
from oyez.consumers.database.stranded import Looked
from oyez.consumers.database.tables import parked, start
from oyez.consumers.execution import settle
from oyez.consumers.lanes.claim import LaneClaim
from oyez.consumers.lanes.lane import LaneDatabase
from support.stepping import SteppedDatabase

Break = Callable[[pytest.MonkeyPatch], None]


def nothing_is_looked_for_behind(patch: pytest.MonkeyPatch) -> None:
    """Each choice looks at the keys in which something was put behind a head."""
    patch.setattr(stranded, "look", lambda *_: Looked(0, None))


def a_claim_locks_nothing(patch: pytest.MonkeyPatch) -> None:
    """A claim is a row lock, held by the transaction of the handler's effects."""

    def unlocked(dialect: Any) -> Any:
        rows, heads = claims.given_heads(dialect, claims.is_due)
        mine = and_(
            start.c.id == bindparam("number", type_=BigInteger), start.c.group_name == parked.c.group_name
        )
        return rows, heads.join_from(parked, start, mine)

    patch.setattr(lane_claims, "_noted_heads", unlocked)


def the_note_stays(patch: pytest.MonkeyPatch) -> None:
    """What ends a unit early takes its note along."""
    patch.setattr(start_notes, "forget", lambda *_: None)
    patch.setattr(start_notes, "forget_all", lambda *_: None)


def the_note_is_not_renewed(patch: pytest.MonkeyPatch) -> None:
    """A slow transaction renews the note of what follows."""
    patch.setattr(start_notes, "refresh", lambda *_: None)


def a_claim_needs_the_note_again(patch: pytest.MonkeyPatch) -> None:
    """What was claimed and undone is claimed without its note."""

    def again(self: Any, db: Any, now: float) -> Any:
        group, unit = self._group, self._unit
        return lane_claims.claim_noted(
            db, group.app, group.name, list(group.by_name), unit.number, self._ids, now
        )

    patch.setattr(LaneClaim, "_again", again)


def what_was_counted_stays_so(patch: pytest.MonkeyPatch) -> None:
    """A start that was counted of a living worker is taken back."""
    patch.setattr(start_notes, "take_back", lambda *_: None)


def prerequisites_are_not_locked(patch: pytest.MonkeyPatch) -> None:
    """What a lane's failure waits for is locked before it is parked."""
    patch.setattr(settle.prerequisites, "lock", lambda *_: set())


def what_is_given_up_is_committed(patch: pytest.MonkeyPatch) -> None:
    """Of a lane that was given up nothing is committed."""
    patch.setattr(LaneDatabase, "_refuse", lambda _self: None)


RULES: dict[Break, Callable[[SteppedDatabase], None]] = {
    nothing_is_looked_for_behind: lambda db: steps.test_they_run_while_a_batch_parks_behind(
        steps.Workers(db)
    ),
    a_claim_locks_nothing: lambda db: steps.test_both_run_what_both_have_chosen(db, steps.Workers, 1),
    the_note_stays: failures.test_a_failure_after_long_is_no_death,
    the_note_is_not_renewed: failures.test_what_follows_something_slow_in_its_lane_has_seen_no_death,
    a_claim_needs_the_note_again: failures.test_what_took_too_long_is_no_death,
    what_is_given_up_is_committed: failures.test_what_took_too_long_is_no_death,
    what_was_counted_stays_so: failures.test_what_took_too_long_is_no_death,
    prerequisites_are_not_locked: failures.test_it_is_not_ready_while_what_it_waits_for_is_met,
}


@pytest.mark.parametrize("broken", RULES, ids=lambda broken: broken.__name__)
def test_a_rule_that_is_broken_is_seen(
    stepped_database: SteppedDatabase, monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        RULES[broken](stepped_database)
