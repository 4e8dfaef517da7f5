"""Keys, subjects and data with everything in them, through the inbox, the retry table and back."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Known, Opened, Play, Viewed, note
from oyez.consumers import Handlers, NotReady, Reject
from oyez.schemas import Event

TEXTS = [
    'it\'s "quoted" and \\ slashed',
    "two\nlines\tand\ra return",
    "größe, Ωmega, 漢字, 😀, é",
    "%s %(name)s :name ? $1 {0} {{}}",
    ']}, {"a": [1]',
    "\x01\x1f\x7f\u2028\ufeff",
    "  spaces  ",
    "NULL",
    "k" * 250,
    "漢" * 250,
]


def shop(group: str | None) -> Handlers:
    on = Handlers("shop")

    @on(Opened, group=group)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Viewed, group=group)
    def viewed(event: Event[Viewed], db: Session) -> None:
        assert (event.key, event.data.k) == (event.data.k, event.data.s)
        note(db, "viewed", event.data.n)

    return on


@pytest.mark.parametrize("group", [None, "visits"])
def test_they_wait_and_are_released(group: str | None, play: Play) -> None:
    pipeline = play(shop(group))
    for n, said in enumerate(TEXTS):
        pipeline.announce(Viewed(k=said, s=said, n=n), Viewed(k=said, s=said, n=n + 100))
    pipeline.run()
    assert pipeline.effects() == []
    assert pipeline.rows("parked", "key", "wait_subject") == [(t, w) for t in TEXTS for w in (t, None)]
    for n, said in enumerate(TEXTS):
        pipeline.announce(Opened(k=said, s=said, n=n))
    pipeline.run()
    assert pipeline.is_clean()
    assert sorted(pipeline.effects("opened")) == list(range(len(TEXTS)))
    done = pipeline.effects("viewed")
    assert sorted(done) == sorted([*range(len(TEXTS)), *range(100, 100 + len(TEXTS))])
    assert all(done.index(n) < done.index(n + 100) for n in range(len(TEXTS)))
    assert sorted(pipeline.rows("prerequisite", "subject")) == sorted(TEXTS)


def test_they_are_said_back(play: Play) -> None:
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        if event.n % 2:
            raise Reject(event.s)
        raise NotReady(Opened, f"{event.s[:-1]}!")

    pipeline = play(on)
    pipeline.handle(*(Opened(k=said, s=said, n=n) for n, said in enumerate(TEXTS)))
    assert pipeline.rows("dead", "error") == TEXTS[1::2]
    assert pipeline.rows("parked", "wait_subject") == [f"{said[:-1]}!" for said in TEXTS[::2]]


class Numbered(Known, name="numbered", key="k", subject="s"):
    k: int
    s: int
    n: int = 0


class Dated(Known, name="dated", subject="s"):
    s: date
    n: int = 0


class Identified(Known, name="identified", subject="s"):
    s: UUID
    n: int = 0


class Waiting(Known, name="waiting", requires={"numbered": "a", "dated": "b", "identified": "c"}):
    a: str | None = None
    b: str | None = None
    c: str | None = None
    n: int = 0


def test_subjects_compare_as_text(play: Play) -> None:
    number = UUID(int=7)
    on = Handlers("shop")
    done: list[int] = []
    for signal in (Numbered, Dated, Identified, Waiting):

        def handle(event: Known, db: Session) -> None:
            done.append(event.model_dump()["n"])

        on(signal, name=signal.__name__, group="all")(handle)
    pipeline = play(on)
    pipeline.handle(Waiting(a="7", b="2026-01-02", c=str(number), n=1), Waiting(a="7", n=2), Waiting(n=3))
    assert done == [3]
    pipeline.handle(Numbered(k=1, s=7, n=4))
    assert done == [3, 4, 2]
    pipeline.handle(Dated(s=date(2026, 1, 2), n=5))
    assert done == [3, 4, 2, 5]
    pipeline.handle(Identified(s=number, n=6))
    assert done == [3, 4, 2, 5, 6, 1]
    assert pipeline.is_clean()
