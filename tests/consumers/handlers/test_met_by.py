"""The application's own tables answer for what is not recorded."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, effects, note, one_line
from oyez.consumers import Handlers, NotReady
from oyez.consumers.core.report import Report
from oyez.consumers.handlers.answers import Answers
from oyez.consumers.handlers.signature import RegistrationError

DAY = 86_400.0
Open = Callable[..., Any]


class Own:
    """What the application's own table has, as a function that answers for it."""

    def __init__(self, *subjects: str) -> None:
        self.subjects = set(subjects)
        self.asked: list[Sequence[str]] = []
        self.error: BaseException | None = None

    def __call__(self, db: Connection, subjects: Sequence[str]) -> Iterable[str]:
        self.asked.append(subjects)
        if self.error is not None:
            raise self.error
        return self.subjects & set(subjects)


def shop(own: Callable[..., Any] | None, group: str | None = None) -> Handlers:
    on = Handlers("shop")
    if own is not None:
        on.met_by(Opened)(own)

    @on(Opened, group=group)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open_", event.n)

    @on(Viewed, group=group)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


def recorded(pipeline: Pipeline) -> list[str]:
    return [subject for subject, met in pipeline.rows("prerequisite", "subject", "met_at") if met is not None]


@pytest.mark.parametrize("group", [None, "all"])
def test_what_the_table_has_does_not_wait(play: Play, group: str | None) -> None:
    own = Own("s1")
    pipeline = play(shop(own, group))
    pipeline.handle(Viewed(k="a", s="s1", n=1), Viewed(k="b", s="s2", n=2))
    assert pipeline.effects("view") == [1]
    assert [n for _, n, _ in pipeline.parked()] == [2]
    assert recorded(pipeline) == ["s1"]
    assert own.asked[0] == ["s1", "s2"]
    assert sum(worker.tally.parked for worker in pipeline.workers.values()) == 1


def test_a_batch_that_needs_only_what_the_table_has_parks_nothing(play: Play) -> None:
    pipeline = play(shop(Own("s1")))
    pipeline.handle(Viewed(n=1))
    assert pipeline.effects("view") == [1]
    assert pipeline.workers["shop.viewed"].tally.parked == 0


def test_it_is_not_asked_for_what_is_recorded(play: Play) -> None:
    own = Own()
    pipeline = play(shop(own))
    pipeline.handle(Opened(), Viewed(n=1))
    pipeline.handle(Viewed(n=2))
    assert own.asked == []


def test_it_is_asked_once_for_what_it_has(play: Play) -> None:
    own = Own("s1")
    pipeline = play(shop(own))
    pipeline.handle(Viewed(n=1))
    pipeline.workers = {name: pipeline.worker(name) for name in pipeline.application.groups}
    pipeline.handle(Viewed(n=2))
    assert len(own.asked) == 1


def test_a_parked_row_is_released_by_the_next_sweep(play: Play) -> None:
    """And others that wait for the same, whatever their group."""
    own = Own()
    on = shop(own)

    @on(Viewed, group="others")
    def other(event: Viewed, db: Connection) -> None:
        note(db, "other", event.n)

    pipeline = play(on)
    pipeline.handle(Viewed(n=1), Viewed(n=2))
    assert pipeline.effects() == []
    own.subjects.add("s1")
    pipeline.later(5.0)
    assert pipeline.effects("view") == [1, 2]
    assert pipeline.effects("other") == [1, 2]
    assert recorded(pipeline) == ["s1"]


def test_every_prerequisite_is_asked_for_round_by_round(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oyez.consumers.upkeep.ask_for_parked.STEP", 3)
    own = Own()
    pipeline = play(shop(own))
    pipeline.handle(*(Viewed(k=f"k{n}", s=f"s{n:02}", n=n) for n in range(40)))
    own.asked.clear()
    for _ in range(3):
        pipeline.later(5.0)
    asked = [subject for subjects in own.asked for subject in subjects]
    assert set(asked) == {f"s{n:02}" for n in range(40)}
    assert max(len(subjects) for subjects in own.asked) == 3
    assert asked[:40] == sorted(asked[:40])


def test_a_claimed_row_is_checked_there_too(play: Play) -> None:
    """A row that failed runs again, and what it requires has been forgotten: the table has it."""
    own = Own()
    failing = {1}
    on = Handlers("shop")
    on.met_by(Opened)(own)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open_", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        if event.n in failing:
            raise ValueError("as told")
        note(db, "view", event.n)

    pipeline = play(on)
    pipeline.handle(Opened(), Viewed(n=1))
    with pipeline.engine.begin() as db:
        db.execute(text("DELETE FROM oyez_prerequisite"))
    failing.clear()
    own.subjects.add("s1")
    pipeline.workers = {name: pipeline.worker(name) for name in pipeline.application.groups}
    retrying = pipeline.workers["shop.viewed"]._retrying
    pipeline.clock.now += 3.0
    claims: list[Report] = []
    retrying.run_due(claims.append)
    assert [report.done for report in claims] == [1]
    assert pipeline.effects("view") == [1]
    assert recorded(pipeline) == ["s1"]


def test_it_is_asked_before_anything_is_given_up(play: Play) -> None:
    own = Own()
    pipeline = play(shop(own), sweep_every=10 * DAY)
    pipeline.handle(Viewed(n=1), Viewed(k="k2", s="s2", n=2))
    own.subjects.add("s1")
    pipeline.clock.now += DAY + 1
    retrying = pipeline.workers["shop.viewed"]._retrying
    bury(retrying)
    assert [n for _, n, _ in pipeline.dead()] == [2]
    pipeline.run()
    assert pipeline.effects("view") == [1]


def bury(retrying: Any) -> None:
    retrying._execution.database.repeat(retrying._bury_expired)


@pytest.mark.parametrize("kind", [ValueError, CancelledError, SystemExit])
def test_an_error_is_one_line_and_nothing_is_lost(kind: Any, play: Play, caplog: Any) -> None:
    """Not even what has waited for too long: it waits until there is an answer."""
    own = Own()
    own.error = kind("no\nsuch thing")
    pipeline = play(shop(own))
    pipeline.handle(Viewed(n=1))
    pipeline.later(DAY + 1)
    pipeline.later(100.0)
    assert pipeline.dead() == []
    assert [n for _, n, _ in pipeline.parked()] == [1]
    own.error = None
    own.subjects.add("s1")
    pipeline.later(5.0)
    assert pipeline.effects("view") == [1]
    said = [record.getMessage() for record in caplog.records if record.name == "oyez.met_by"]
    first = said[: len(said) // 2] if len(said) > 2 else said[:1]
    one_line(first[0], "shop", "opened", f"{kind.__name__}: no such thing")
    one_line(said[-1], "answers again")


@pytest.mark.parametrize("said", [None, 7, [object()]], ids=["None", "int", "object"])
def test_nonsense_is_an_error_too(play: Play, said: Any, caplog: pytest.LogCaptureFixture) -> None:
    pipeline = play(shop(lambda _db, _subjects: said))
    pipeline.handle(Viewed(n=1))
    assert [n for _, n, _ in pipeline.parked()] == [1]
    assert "met_by of opened" in caplog.text


def test_a_database_error_breaks_nothing(play: Play) -> None:
    def own(db: Connection, subjects: Sequence[str]) -> Iterable[str]:
        return db.execute(text("SELECT nothing FROM nowhere")).scalars()

    pipeline = play(shop(own))
    pipeline.handle(Viewed(n=1), Opened(s="s2", k="x"), Viewed(s="s2", k="k2", n=2))
    assert pipeline.effects("view") == [2]
    assert [n for _, n, _ in pipeline.parked()] == [1]


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_it_cannot_end_the_transaction(play: Play, end: str, caplog: pytest.LogCaptureFixture) -> None:
    def own(db: Connection, subjects: Sequence[str]) -> Iterable[str]:
        getattr(db, end)()
        return subjects

    pipeline = play(shop(own))
    pipeline.handle(Viewed(n=1))
    assert pipeline.effects("view") == []
    assert f"Connection.{end}()" in caplog.text


def test_what_it_writes_is_undone(play: Play) -> None:
    def own(db: Connection, subjects: Sequence[str]) -> Iterable[str]:
        db.execute(insert(effects), {"handler": "own", "n": 1})
        db.begin_nested()
        return subjects

    pipeline = play(shop(own))
    pipeline.handle(Viewed(n=1))
    assert pipeline.effects("view") == [1]
    assert pipeline.effects("own") == []


def test_a_generator_and_numbers_will_do(play: Play) -> None:
    def own(db: Connection, subjects: Sequence[str]) -> Iterator[Any]:
        yield from db.execute(select(effects.c.n)).scalars()

    pipeline = play(shop(own))
    pipeline.handle(Opened(s="x", n=17), Viewed(k="k2", s="17", n=1))
    assert pipeline.effects("view") == [1]


def test_what_a_handler_asks_for_is_answered_too(play: Play) -> None:
    own = Own()
    on = shop(own)

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        if not own.subjects:
            raise NotReady(Opened, "s1")
        note(db, "place", event.n)

    pipeline = play(on)
    pipeline.handle(Placed(n=1))
    assert pipeline.effects("place") == []
    own.subjects.add("s1")
    pipeline.later(5.0)
    assert pipeline.effects("place") == [1]


def test_a_signal_without_a_subject_is_refused() -> None:
    on = Handlers("shop")
    with pytest.raises(RegistrationError) as caught:
        on.met_by(Placed)(Own())
    one_line(caught.value, "placed", "subject")


def test_two_for_one_signal_are_refused() -> None:
    on = Handlers("shop")
    on.met_by(Opened)(Own())
    with pytest.raises(RegistrationError) as caught:
        on.met_by(Opened)(Own())
    one_line(caught.value, "opened", "two functions")


def test_a_coroutine_is_refused() -> None:
    async def own(db: Connection, subjects: Sequence[str]) -> list[str]:
        return []

    with pytest.raises(RegistrationError) as caught:
        Handlers("shop").met_by(Opened)(own)  # type: ignore[type-var]
    one_line(caught.value, "coroutine", "plain def")


def test_other_parameters_are_refused() -> None:
    def own(db: Connection) -> list[str]:
        return []

    with pytest.raises(RegistrationError) as caught:
        Handlers("shop").met_by(Opened)(own)  # type: ignore[type-var]
    one_line(caught.value, "(db, subjects)")


def test_without_any_nothing_is_asked() -> None:
    assert Answers("shop", {}).signals == []
