"""Whatever a worker commits, of the handlers' or its own, another transaction may be in its way."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.partitions.test_dying_workers import Killed, live_and_die
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, empty, note
from oyez.consumers import Handlers
from oyez.consumers.upkeep.stranded import IDLE
from support.conflicting_commits import Commits

EVERY = 7  # commits, of which one meets another transaction; in turn, each does


def shop() -> Handlers:
    """One fails at first, one always, one kills its worker, and one waits for another."""
    on = Handlers("shop")
    failed: list[int] = []

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        if event.n == 1 and not failed:
            failed.append(1)
            raise ValueError("at first")
        if event.n == 3:
            raise ValueError("always")
        if event.n == 5:
            raise Killed
        note(db, "place", event.n)

    @on(Opened)
    def opened(event: Opened, db: Connection) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewed(event: Viewed, db: Connection) -> None:
        note(db, "viewed", event.n)

    return on


def live(pipeline: Pipeline) -> None:
    """All that happens to a group: failures, waiting, deaths, sweeps and upkeep."""
    pipeline.handle(Viewed(n=10), Placed(n=1), Placed(n=2), Placed(k="k3", n=3), Placed(k="k3", n=4))
    pipeline.handle(Opened(n=20), Viewed(s="s2", n=11))
    pipeline.announce(Placed(k="k5", n=5), Placed(k="k5", n=6))
    live_and_die(pipeline, most=20)
    pipeline.handle(Opened(s="s2", n=21))
    for _ in range(5):
        pipeline.later(IDLE)


def outcome(pipeline: Pipeline) -> object:
    """What was done, and what was given up."""
    return sorted(pipeline.effects()), sorted(pipeline.dead()), pipeline.parked()


def test_a_conflict_at_any_commit_changes_nothing(play: Play, pipeline_database: str) -> None:
    pipeline = play(shop())
    commits = Commits(pipeline.engine)
    live(pipeline)
    expected = outcome(pipeline)
    assert expected == (
        [1, 2, 4, 6, 10, 11, 20, 21],
        [("place", 3, "failed 5 times"), ("place", 5, "killed its worker")],
        [],
    )
    assert commits.count > 3 * EVERY
    for turn in range(EVERY):
        pipeline.close()
        empty(pipeline_database)
        pipeline = play(shop())
        Commits(pipeline.engine, lambda number, turn=turn: number % EVERY == turn)  # type: ignore[misc]
        live(pipeline)
        assert outcome(pipeline) == expected, f"each commit {turn} of {EVERY}"
