"""The plan of a batch, whatever comes in whatever order: nothing runs before what it requires, nor out of its key's
order, and nothing is parked for what the same batch completes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.consumers import Application, Handlers
from oyez.consumers.core.outcomes import DONE, QUEUED, Failed, Waits
from oyez.consumers.execution import plan as plans
from oyez.consumers.execution.batch import Batch
from oyez.consumers.execution.delivery import Delivery, Work
from oyez.consumers.execution.gate import Gate
from oyez.consumers.execution.plan import Plan, plan
from oyez.consumers.execution.reader import Taken
from oyez.consumers.execution.readiness import Known, MetPrerequisites
from oyez.consumers.handlers.application import Group
from oyez.schemas import Catalogue, Signal
from oyez.schemas.declaration import Prerequisite

signals = Catalogue()
SUBJECTS = ["s1", "s2", "s3", "s4"]


class Opened(Signal, name="opened", key="k", subject="s", catalogue=signals):
    k: str
    s: str


class Used(Signal, name="used", key="k", requires={Opened: "s", "reply": "t"}, catalogue=signals):
    k: str
    s: str | None
    t: str | None


class Reply(Signal, name="reply", key="k", subject="s", requires={"reply": "t"}, catalogue=signals):
    k: str
    s: str
    t: str | None


def nothing(event: object) -> None: ...


on = Handlers("plan")
for name in ("open_one", "open_two"):
    on(Opened, name=name, group="all", order="key")(nothing)
on(Used, name="use", group="all", order="key")(nothing)
on(Used, name="use_loosely", group="all", order="none")(nothing)
on(Reply, name="reply", group="all", order="key")(nothing)
GROUP = Application(on, signals).group("all")

keys, subjects = st.sampled_from(["k1", "k2"]), st.sampled_from(SUBJECTS)
maybe = st.none() | subjects
events = st.lists(
    st.builds(Opened, k=keys, s=subjects)
    | st.builds(Used, k=keys, s=maybe, t=maybe)
    | st.builds(Reply, k=keys, s=subjects, t=maybe),
    max_size=14,
)
met = st.sets(st.builds(Prerequisite, st.sampled_from(["opened", "reply"]), subjects), max_size=2)


def works_of(given_events: Sequence[Signal], group: Group = GROUP) -> list[Work]:
    taken = []
    for n, event in enumerate(given_events):
        envelope = {"source": "web", "id": f"{n}", "partitionkey": event.k, "data": event}
        taken.append(Taken(signals[type(event)], envelope, None))  # type: ignore[arg-type]
    return Batch(group).works(taken)


def known_of(known: set[Prerequisite]) -> Known:
    found = MetPrerequisites()
    found.add(known)
    return Known(found)


def in_turn(planned: Plan) -> Iterator[tuple[int, Delivery]]:
    for number, level in enumerate(planned.levels):
        for deliveries in level.values():
            for delivery in deliveries:
                yield number, delivery


def completed(works: Sequence[Work], done: dict[tuple[str, int], int]) -> dict[Prerequisite, int]:
    """What is complete once all that is ``done`` is, and the level after which it is."""
    found: dict[Prerequisite, int] = {}
    for _, deliveries in works:
        levels = [done.get((one.handler.name, one.at)) for one in deliveries]
        prerequisite = deliveries[0].prerequisite
        if prerequisite is not None and None not in levels:
            level = max(level for level in levels if level is not None)
            found[prerequisite] = min(level, found.get(prerequisite, level))
    return found


def check(
    works: Sequence[Work], known: set[Prerequisite], planned: Plan, ran: dict[tuple[str, int], int]
) -> None:
    placed = dict(ran)
    for level, one in in_turn(planned):
        assert (one.handler.name, one.at) not in placed, "twice"
        placed[one.handler.name, one.at] = level
    parked = {(one.handler.name, one.at): outcome for one, outcome in planned.parked}
    every = {(one.handler.name, one.at) for _, deliveries in works for one in deliveries}
    assert placed.keys() | parked.keys() == every, "lost"
    assert not placed.keys() & parked.keys(), "both run and parked"
    complete = completed(works, placed)
    for level, one in in_turn(planned):
        for required in one.required:
            assert required in known or complete[required] < level, (
                f"{one.handler.name} {one.at} is too early"
            )
    for (handler, at), outcome in parked.items():
        if isinstance(outcome, Waits) and len(planned.levels) < plans.AGAIN:
            assert outcome.prerequisite not in complete, f"{handler} {at} waits for what the batch completes"
    _check_order(works, known, planned)


def _check_order(works: Sequence[Work], known: set[Prerequisite], planned: Plan) -> None:
    """What is behind another one in its key comes after it, or was let past it."""
    every = [one for _, deliveries in works for one in deliveries if one.ordered_key is not None]
    turns = {(one.handler.name, one.at): turn for turn, (_, one) in enumerate(in_turn(planned))}
    for n, later in enumerate(every):
        before = [one for one in every[:n] if one.ordered_key == later.ordered_key]
        turn = turns.get((later.handler.name, later.at))
        for at, one in enumerate(before):
            if turn is not None and turns.get((one.handler.name, one.at), turn + 1) > turn:
                assert _is_let_past(later, before, at), f"{later.at} overtakes {one.at}"
                assert not any(
                    first.prerequisite == later.prerequisite and known.issuperset(first.required)
                    for first in before
                    if (first.handler.name, first.at) in turns
                ), f"{later.at} overtakes {one.at}, though another one meets what that waits for"


def _is_let_past(later: Delivery, before: Sequence[Delivery], at: int) -> bool:
    """It is what one of its key waits for that is not after the one at ``at``, or that is let past that one itself."""
    return any(
        later.prerequisite in one.required and (place <= at or _is_let_past(one, before[:place], at))
        for place, one in enumerate(before)
    )


@settings(max_examples=400, deadline=None, database=None)  # a broken rule's examples are not to be kept
@given(events=events, known=met)
def test_nothing_too_early_and_nothing_parked_for_what_comes_in_the_batch(
    events: list[Signal], known: set[Prerequisite]
) -> None:
    works = works_of(events)
    planned = plan(works, known_of(known), GROUP.completing)
    check(works, known, planned, {})


@settings(max_examples=400, deadline=None)
@given(events=events, known=met, fails=st.sets(st.integers(0, 11), max_size=3), data=st.data())
def test_the_same_of_what_is_left_after_a_failure(
    events: list[Signal], known: set[Prerequisite], fails: set[int], data: st.DataObject
) -> None:
    """Levels ran up to one, some of which failed there; all else is planned anew."""
    works = works_of(events)
    first = plan(works, known_of(known), GROUP.completing)
    until = data.draw(st.integers(0, len(first.levels) - 1))
    results = [
        (one, Failed("x", "X") if one.at in fails and level == until else DONE)
        for level, one in in_turn(first)
        if level <= until
    ]
    planned = plan(works, known_of(known), GROUP.completing, results)
    ran = {(one.handler.name, one.at): -1 for one, outcome in results if outcome is DONE}
    failed = [one for one, outcome in results if outcome is not DONE]
    assert {(one.handler.name, one.at) for _, one in in_turn(planned)}.isdisjoint(
        (one.handler.name, one.at) for one, _ in results
    )
    held = {one.ordered_key: one.at for one in reversed(failed) if one.ordered_key is not None}
    for _, one in in_turn(planned):
        assert one.at < held.get(one.ordered_key, one.at + 1), "past one that has failed"
    complete = completed(works, ran | {(one.handler.name, one.at): n for n, one in in_turn(planned)})
    for level, one in in_turn(planned):
        for required in one.required:
            assert required in known or complete.get(required, level) < level, "needs what has failed"


BREAKS = {
    "what is let past its head runs on the level of what it completes": ("level", lambda self, delivery: 0),
    "whatever is parked is completed later": ("admit", lambda self, delivery: (delivery, None)),
    "keys have no heads": ("note", lambda self, delivery, outcome: None),
    "nothing counts as completed later": ("is_completed", lambda self, prerequisite: False),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_rule_that_is_broken_is_seen(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, *BREAKS[broken])
    with pytest.raises((AssertionError, KeyError, ExceptionGroup)):
        test_nothing_too_early_and_nothing_parked_for_what_comes_in_the_batch()


def test_a_long_chain_the_other_way_round_is_parked_in_the_end() -> None:
    """It is not gone through as often as it has links."""
    chain = [Reply(k=f"k{n}", s=f"s{n}", t=f"s{n - 1}") for n in range(50, 0, -1)]
    planned = plan(works_of([*chain, Reply(k="k0", s="s0", t=None)]), known_of(set()), GROUP.completing)
    assert len(planned.levels) == plans.AGAIN + 1
    assert len(planned.parked) == 50 - plans.AGAIN


def test_a_chain_that_is_not_too_long_is_planned_whole() -> None:
    chain = [Reply(k="k", s=f"s{n}", t=f"s{n - 1}") for n in range(plans.AGAIN, 0, -1)]
    planned = plan(works_of([*chain, Reply(k="k", s="s0", t=None)]), known_of(set()), GROUP.completing)
    assert [one.at for _, one in in_turn(planned)] == list(range(plans.AGAIN, -1, -1))
    assert planned.parked == []


def test_what_waits_for_the_batch_and_runs_in_a_lane_is_due_once_it_is_committed() -> None:
    lanes = Handlers("lanes")
    lanes(Opened, name="open", group="all")(nothing)
    lanes(Used, name="use", group="all", concurrency=2, requires={Opened: "s"})(nothing)
    group = Application(lanes, signals).group("all")
    works = works_of([Used(k="k", s="s1", t=None), Opened(k="k", s="s1")], group)
    planned = plan(works, known_of(set()), group.completing)
    assert [(one.at, outcome) for one, outcome in planned.parked] == [(0, QUEUED)]
