"""How many files one event passes through: few enough that a reader can follow it.

The figures are those of one round of a worker that is warm, with one new event and a handler with a session. They may
only ever be lowered.
"""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

import oyez.consumers
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, note
from oyez.consumers import Handlers
from support.path_of_an_event import EventPath, Tracer

# At most so many files and switches between them, from the poll that finds the event
# to the commit of the transaction that handles it, and to the end of the round.
FREE = ((18, 57), (27, 79))
REQUIRING = ((22, 77), (31, 99))
WARM = 3  # rounds after which everything that is kept is known


def handlers() -> Handlers:
    on = Handlers("shop")
    for signal in (Opened, Placed, Viewed):

        @on(signal, name=signal.__name__.lower())
        def noted(event: Opened | Placed | Viewed, db: Session) -> None:
            note(db, "noted", event.n)

    return on


def follow(pipeline: Pipeline, group: str, signal: type[Placed | Viewed]) -> tuple[EventPath, EventPath]:
    """The path of an event of a warm worker: up to the last commit, and up to the end of the round."""
    for n in range(WARM):
        pipeline.handle(signal(n=n))
    pipeline.clock.now += 0.1
    pipeline.announce(signal(n=WARM))
    tracer = Tracer(oyez.consumers, first="poll")
    commits: list[EventPath] = []
    event.listen(pipeline.engine, "commit", lambda _: commits.append(tracer.path()))
    with tracer.running():
        assert pipeline.workers[group].step() == 1
    assert pipeline.effects()[-1] == WARM
    return commits[-1], tracer.path()


@pytest.mark.parametrize(
    ("group", "signal", "ceilings"),
    [("shop.placed", Placed, FREE), ("shop.viewed", Viewed, REQUIRING)],
    ids=["free", "requiring"],
)
def test_an_event_passes_through_few_files(
    play: Play, group: str, signal: type[Placed | Viewed], ceilings: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    pipeline = play(handlers())
    pipeline.handle(Opened())
    for path, (files, switches) in zip(follow(pipeline, group, signal), ceilings, strict=True):
        assert len(path.files) <= files, str(path)
        assert path.switches <= switches, str(path)
