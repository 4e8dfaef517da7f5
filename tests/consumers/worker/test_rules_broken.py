"""Each rule of what is tried again is broken once: the tests notice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumers.pipeline import Play
from consumers.worker import test_lost_and_regained, test_tried_again
from oyez.consumers.worker import tried_again


def lost_records_are_kept(patch: pytest.MonkeyPatch) -> None:
    """Records of a partition that was lost are another worker's."""
    patch.setattr(tried_again, "without_lost", lambda batch, _held: batch)


def pauses_are_those_of_the_first_attempt(patch: pytest.MonkeyPatch) -> None:
    """What has been paused since is not run."""
    patch.setattr(tried_again, "with_pauses", lambda batch, _paused: batch)


def what_came_back_counts_as_never_lost(patch: pytest.MonkeyPatch) -> None:
    """A partition that was away meanwhile is read from where its group has committed."""
    patch.setattr(
        tried_again, "still_held", lambda moves, held: [move for move in moves if move.partition in held]
    )


RULES: dict[Callable[[pytest.MonkeyPatch], None], Callable[[Play], None]] = {
    lost_records_are_kept: lambda play: test_tried_again.test_what_another_worker_has_by_now_is_left_to_it(
        play, "in place"
    ),
    what_came_back_counts_as_never_lost: lambda play: (
        test_lost_and_regained.test_what_comes_back_is_handled_once(play, "in place")
    ),
    pauses_are_those_of_the_first_attempt: lambda play: (
        test_tried_again.test_what_is_paused_meanwhile_runs_no_more(
            play, "at-least-once", test_tried_again.GROUP, "in place"
        )
    ),
}


@pytest.mark.parametrize("broken", RULES, ids=lambda broken: broken.__name__)
def test_a_broken_rule_is_noticed(
    play: Play, monkeypatch: pytest.MonkeyPatch, broken: Callable[[pytest.MonkeyPatch], None]
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        RULES[broken](play)
