"""Whatever arrives in whatever order, fails however often, whoever handles it: a model says what must come out."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.execution.model_application import Announced, Opened, Reply, Script, Used, World, new_database

HANDLERS = {
    "opened": ("open_session", "open_connection"),
    "used": ("use_batch", "use_outside", "use_loosely"),
    "reply": ("reply",),
}
WAITING = {"use_batch", "use_outside", "reply"}
ORDERED = {"open_session", "open_connection", "use_batch", "use_outside"}

keys = st.sampled_from(["k1", "k2", "k3"])
subjects = st.sampled_from(["s1", "s2", "s3", "s4"])
kinds = st.sampled_from(["opened", "used", "used", "reply"])
drafts = st.lists(st.tuples(kinds, keys, subjects, st.sampled_from(["s1", "s2", "s3", None])), max_size=25)
failing = st.dictionaries(
    st.tuples(st.sampled_from(sorted(sum(HANDLERS.values(), ()))), st.integers(0, 24)),
    st.integers(1, 2),
    max_size=6,
)
rejected = st.sets(
    st.tuples(st.sampled_from(sorted(sum(HANDLERS.values(), ()))), st.integers(0, 24)), max_size=2
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 5)),
        st.tuples(st.just("announce"), st.integers(1, 6)),
        st.tuples(st.just("join"), st.integers(0, 2)),
        st.tuples(st.just("vanish"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(1, 10)),
    ),
    max_size=30,
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drafts=drafts,
    failing=failing,
    rejected=rejected,
    steps=steps,
    group=st.sampled_from([None, "all"]),
    batch=st.sampled_from([1, 3, 500]),
)
def test_each_delivery_is_done_once_in_order_or_dead(drafts, failing, rejected, steps, group, batch):
    with tempfile.TemporaryDirectory() as folder:
        script = Script(Counter(failing), rejected)
        world = World(new_database(Path(folder)), script, group=group, batch=batch)
        try:
            _play(world, _events(drafts), steps)
            world.settle()
            _check(world, rejected)
        finally:
            world.close()


waiting_first = st.tuples(
    st.lists(
        st.tuples(st.sampled_from(["used", "reply"]), keys, subjects, st.sampled_from(["s1", "s2", "s3"])),
        min_size=2,
        max_size=10,
    ),
    drafts,
).map(lambda parts: parts[0] + parts[1])
aging = st.lists(
    st.one_of(
        st.tuples(st.just("announce"), st.integers(1, 6)),
        st.tuples(st.just("age"), st.integers(1, 3)),
        st.tuples(st.just("vanish"), st.integers(0, 5)),
    ),
    max_size=12,
).map(lambda steps: [("announce", 3), ("age", 2), *steps])


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(drafts=waiting_first, rejected=rejected, steps=aging, group=st.sampled_from([None, "all"]))
def test_what_was_given_up_as_never_met_is_done_when_it_is_met(drafts, rejected, steps, group):
    """Each delivery once, as before. Where a delivery was given up, its key's order is not promised. Meanwhile the
    inbox and the prerequisites that nobody waits for are gone through, and what is old of them is forgotten."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(new_database(Path(folder)), Script(Counter(), rejected), group=group, batch=3)
        try:
            _play(world, _events(drafts), steps)
            world.settle()
            _check(world, rejected)
        finally:
            world.close()


def _events(drafts) -> list[Announced]:
    made: list[Announced] = []
    for n, (kind, key, subject, parent) in enumerate(drafts):
        if kind == "opened":
            made.append(Opened(k=key, s=subject, n=n))
        elif kind == "used":
            made.append(Used(k=key, s=subject, n=n))
        elif parent != subject:
            made.append(Reply(k=key, s=subject, parent=parent, n=n))
    return made


def _play(world: World, events: list[Announced], steps) -> None:
    left = iter(events)
    for what, number in steps:
        match what:
            case "announce":
                for event in [e for _, e in zip(range(number), left, strict=False)]:
                    world.announce(event)
            case "step":
                world.step(number)
            case "join":
                world.join(list(world.groups)[number % len(world.groups)])
            case "vanish":
                world.vanish(number)
            case "pass":
                world.clock.now += number
            case "age":
                world.age(number * 6_000.0)
    for event in left:
        world.announce(event)


def _check(world: World, rejected: set[tuple[str, int]]) -> None:
    effects = world.effects()
    by_n = {event.n: event for event in world.announced}
    completed = _completable(world.announced, rejected)
    for signal, names in HANDLERS.items():
        for name in names:
            expected = {
                e.n
                for e in world.announced
                if type(e).__oyez__.name == signal
                and (name, e.n) not in rejected
                and (name not in WAITING or _prerequisite(e) is None or _prerequisite(e) in completed)
            }
            assert Counter(effects[name]) == Counter(expected), f"{name}: lost, doubled or not waited"
            if name in ORDERED:
                _check_order(name, effects[name], by_n, world.late)
    assert world.rows("parked") == 0
    assert world.rows("dead") == sum(
        len([e for e in world.announced if type(e).__oyez__.name == s]) for s in HANDLERS for _ in HANDLERS[s]
    ) - sum(len(done) for done in effects.values())


def _prerequisite(event: Announced) -> tuple[str, str] | None:
    if isinstance(event, Used):
        return ("opened", event.s)
    if isinstance(event, Reply) and event.parent is not None:
        return ("reply", event.parent)
    return None


def _completable(events: list[Announced], rejected: set[tuple[str, int]]) -> set[tuple[str, str]]:
    """The prerequisites that are met in the end: one event of the subject has all its completing deliveries done."""
    met: set[tuple[str, str]] = set()
    while True:
        more = {
            (type(e).__oyez__.name, e.s)
            for e in events
            if not isinstance(e, Used)
            and all((name, e.n) not in rejected for name in HANDLERS[type(e).__oyez__.name])
            and (_prerequisite(e) is None or _prerequisite(e) in met)
        }
        if more <= met:
            return met
        met |= more


def _check_order(name: str, done: list[int], by_n: dict[int, Announced], late: set[tuple[str, str]]) -> None:
    by_key: dict[str, list[int]] = defaultdict(list)
    for n in done:
        by_key[by_n[n].k].append(n)
    for key, numbers in by_key.items():
        assert (name, key) in late or numbers == sorted(numbers), f"{name}: {key} out of order: {numbers}"
