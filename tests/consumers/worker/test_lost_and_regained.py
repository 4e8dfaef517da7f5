"""A partition that goes away and comes back while its batch is tried again: the batch is given up, for the partition is
read from where its group has committed."""

from __future__ import annotations

import pytest

from consumers.pipeline import Placed, Play, placed
from consumers.worker.test_tried_again import GROUP, MANY, RUNS, Broken
from oyez.consumers import Handlers
from oyez.consumers.logs.offsets import AT_LEAST_ONCE

MORE = 20  # events that another worker has handled meanwhile, beyond those of the batch


class Flapping:
    """A broken worker that loses its partition while it waits, and has it back before it looks."""

    def __init__(self, play: Play, how: str) -> None:
        self.broken = Broken(play, "at-least-once", how)
        self.group = self.broken.pipeline.logs[GROUP]

    def run(self, others: int = 0) -> None:
        """``others``: how far another worker gets in between."""
        self.broken.run(lambda: self._lose(others))

    def _lose(self, others: int) -> None:
        """Both are heard of in the watchdog's polls."""
        (mine,) = self.group.members
        (partition,) = mine.positions()
        self.group.members.clear()
        mine.idle()
        assert not mine.positions()
        if others:
            self.broken.pipeline.announce(*placed(range(MANY, others)))
            self.group.offsets[partition] = (others, AT_LEAST_ONCE)
        self.group.members.append(mine)
        mine.idle()
        self.broken.is_broken = False

    @property
    def committed(self) -> int:
        ((offset, _promise),) = self.group.offsets.values()
        return offset


@pytest.mark.parametrize("how", RUNS)
def test_what_comes_back_is_handled_once(play: Play, how: str) -> None:
    flapping = Flapping(play, how)
    flapping.run()
    assert sorted(flapping.broken.tried) == list(range(MANY))
    assert flapping.committed == MANY
    assert flapping.broken.pipeline.is_clean()


@pytest.mark.parametrize("how", RUNS)
def test_what_another_worker_has_handled_meanwhile_is_not_handled_again(play: Play, how: str) -> None:
    flapping = Flapping(play, how)
    flapping.run(MANY + MORE)
    assert flapping.broken.tried == []
    assert flapping.committed == MANY + MORE, "what was committed is not taken back"
    assert flapping.broken.pipeline.is_clean()


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
def test_what_was_polled_before_it_went_away_is_read_anew(play: Play, promise: str) -> None:
    """It comes back before anything of it was begun, as when the database is away after the poll."""
    on, handled = Handlers("shop", promises={"placed": promise}), []

    @on(Placed, order="none")
    def place(event: Placed) -> None:
        handled.append(event.n)

    pipeline = play(on)
    pipeline.announce(*placed(range(MANY)))
    worker = pipeline.workers[GROUP]
    follow, losses = worker.reading.follow, [1]

    def lose_and_follow() -> None:
        (mine,) = pipeline.logs[GROUP].members
        if losses and any(mine.positions().values()):
            losses.pop()
            pipeline.logs[GROUP].members.clear()
            mine.idle()
            pipeline.logs[GROUP].members.append(mine)
            mine.idle()
        follow()

    worker.reading.follow = lose_and_follow  # type: ignore[method-assign]
    pipeline.run()
    assert not losses, "it was lost after a poll"
    assert sorted(handled) == list(range(MANY))
