"""A handler outside of the database has failed for one event of a batch, and the batch is taken again: what stands
behind that event is not run, as it was not before."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Placed, Play, note
from oyez.consumers import Handlers

COUNT = 5
BAD = 1
GOOD = Opened(k="two", s="good", n=COUNT)


@pytest.mark.parametrize("kind", [list[Opened], Opened])
def test_what_is_behind_is_not_run_when_the_batch_is_taken_again(kind: Any, play: Play) -> None:
    """The failure that has the batch taken again is that of another handler, which comes later in the batch."""
    seen: list[int] = []
    calls: list[int] = []
    is_bad = True
    on = Handlers("shop")

    def outside(given: Any) -> None:
        numbers = [one.n for one in given] if isinstance(given, list) else [given.n]
        if is_bad and BAD in numbers:
            raise ValueError("bad")
        seen.extend(numbers)

    outside.__annotations__["given"] = kind
    on(Opened, group="all")(outside)

    @on(Placed, group="all", requires={Opened: "k"}, order="none")
    def later(event: Placed, db: Session) -> None:
        calls.append(event.n)
        note(db, "later", event.n)
        if len(calls) == 1:
            raise ValueError("the batch is taken again")

    pipeline = play(on)
    pipeline.handle(*(Opened(k="one", n=n) for n in range(COUNT)), GOOD, Placed(k="good", n=0))
    assert len(calls) > 1
    assert sorted(seen) == [0, COUNT], "1 has failed, and 2, 3, 4 are behind it"
    assert [n for _, n, _ in pipeline.parked()] == list(range(BAD, COUNT))
    is_bad = False
    pipeline.later()
    assert [n for n in seen if n < COUNT] == list(range(COUNT)), "in order, once each"
    assert pipeline.effects("later") == [0]
    assert pipeline.is_clean()
