"""What is announced in the model tests, and what must have come out."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import strategies as st

from consumers.execution.model_application import Announced, Opened, Reply, Used, World

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
rejected = st.sets(
    st.tuples(st.sampled_from(sorted(sum(HANDLERS.values(), ()))), st.integers(0, 24)), max_size=2
)


def events_of(drafts) -> list[Announced]:
    made: list[Announced] = []
    for n, (kind, key, subject, parent) in enumerate(drafts):
        if kind == "opened":
            made.append(Opened(k=key, s=subject, n=n))
        elif kind == "used":
            made.append(Used(k=key, s=subject, n=n))
        elif parent != subject:
            made.append(Reply(k=key, s=subject, parent=parent, n=n))
    return made


def play(world: World, events: list[Announced], steps) -> None:
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


def check(world: World, rejected: set[tuple[str, int]]) -> None:
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
