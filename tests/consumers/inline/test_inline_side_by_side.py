"""Inline beside others: conflicts, threads and forked processes."""

from __future__ import annotations

import multiprocessing
import threading

from sqlalchemy import Connection, text

from consumers.inline.inline_pipeline import Inline, Make, Seen, chain
from consumers.pipeline import Opened, Placed, note
from oyez.consumers import Handlers


def test_conflicts_are_retried(pipeline_postgres: str) -> None:
    runs: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def conflicting(event: Placed, db: Connection) -> None:
        runs.append(event.n)
        note(db, "conflicting", event.n)
        if len(runs) < 3:
            db.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))

    pipeline = Inline(pipeline_postgres, on)
    pipeline.announcer.announce(Placed(n=1))
    assert runs == [1, 1, 1]
    assert pipeline.effects() == [1]
    assert pipeline.is_clean()
    pipeline.close()


def test_many_threads(inline: Make) -> None:
    pipeline = inline(chain())
    failures: list[BaseException] = []

    def announce(thread: int) -> None:
        try:
            for n in range(5):
                number, s = thread * 10 + n, f"s{thread}.{n}"
                pipeline.announcer.announce(Seen(k=s, s=s, n=number))
                pipeline.announcer.announce(Opened(k=s, s=s, n=number))
        except Exception as error:  # noqa: BLE001 # shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=announce, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    expected = sorted(thread * 10 + n for thread in range(5) for n in range(5))
    assert sorted(pipeline.effects("seen")) == sorted(pipeline.effects("opened")) == expected
    assert pipeline.is_clean()


def announce_many(pipeline: Inline, numbers: range) -> None:
    for n in numbers:
        pipeline.announcer.announce(Placed(k=f"k{n}", n=n))


def test_after_a_fork(inline: Make) -> None:
    """Both go on, at the same time, and neither uses the other's connection."""
    announce_many(pipeline := inline(chain()), range(1))
    children = [
        multiprocessing.get_context("fork").Process(
            target=announce_many, args=[pipeline, range(n, n + 9)], daemon=True
        )
        for n in (1, 10)
    ]
    for child in children:
        child.start()
    announce_many(pipeline, range(19, 28))
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert sorted(pipeline.effects()) == list(range(28))
