"""The check itself: whatever is removed, doubled or swapped, it says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from visits import accesslog
from visits.checks import Findings, Place, check, unannounced
from visits.generate import write_log
from visits.server import signals_of
from visits.sessions import Step, Visit, deal, steps_of, visits_of
from visits.signals import SessionStarted
from visits.trails import Trail, trail_of
from visits.work import Announced, source_of

SERVERS = 3
CLEAN = "lost 0, doubled 0, overtaken 0, equal to the in-order result"


@dataclass(frozen=True)
class World:
    """What the servers noted, and what two tables hold after a faultless run."""

    hands: Mapping[str, Sequence[Step]]
    must: Mapping[str, Visit]
    notes: Mapping[str, Sequence[Announced]]

    def trails(self, notes: Mapping[str, Sequence[Announced]]) -> dict[Place, Trail]:
        """The trails that a pipeline leaves which handles just these events, in this order."""
        ids: dict[Place, list[str]] = {}
        for source, own in notes.items():
            for note in own:
                ids.setdefault((note.session, source), []).append(note.id)
        return {place: trail_of(own) for place, own in ids.items()}

    def check(self, handled: Mapping[str, Sequence[Announced]]) -> Findings:
        """Check a pipeline that handled this, with a table visits as it must be."""
        return check(self.must, self.notes, self.must, self.trails(handled), landings_of(self.must))

    def busy(self) -> tuple[str, list[int]]:
        """A source, and where in its notes the views stand of a session that has three there."""
        for source, own in self.notes.items():
            for session in {note.session for note in own}:
                at = [
                    n
                    for n, note in enumerate(own)
                    if note.session == session and note.signal == "page.viewed"
                ]
                if len(at) >= 3:
                    return source, at
        raise AssertionError("no session with three views on one server")


def landings_of(rows: Mapping[str, Visit]) -> dict[str, Sequence[str]]:
    """The landings that these visits must have."""
    return {session: [visit.entry_page] for session, visit in rows.items()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    path = tmp_path_factory.mktemp("log") / "generated.log"
    write_log(path, views=400, seed=5, visitors=15)
    steps = steps_of(accesslog.read(path).views)
    hands = {source_of(n): hand for n, hand in enumerate(deal(steps, SERVERS))}
    notes = {source: notes_of(source, hand) for source, hand in hands.items()}
    return World(hands, visits_of(steps), notes)


def notes_of(source: str, steps: Sequence[Step]) -> list[Announced]:
    """A server's notes, sorted as the pipeline handles them: starts before views."""
    signals = [signal for step in steps for signal in signals_of(step)]
    names = ["session.started" if isinstance(s, SessionStarted) else "page.viewed" for s in signals]
    notes = [
        Announced(name, f"{source}-{n}", step.session_id)
        for n, (name, step) in enumerate(zip(names, _each(steps), strict=True))
    ]
    return sorted(notes, key=lambda note: note.signal != "session.started")


def _each(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps for _ in signals_of(step)]


def changed(world: World, source: str, own: Sequence[Announced]) -> dict[str, Sequence[Announced]]:
    """The notes with those of one source replaced."""
    return {**world.notes, source: own}


def test_a_faultless_run_is_clean(world: World) -> None:
    findings = world.check(world.notes)
    assert str(findings) == CLEAN
    assert findings.clean
    assert findings.details() == []


def test_a_lost_event(world: World) -> None:
    source, at = world.busy()
    own = list(world.notes[source])
    del own[at[1]]
    findings = world.check(changed(world, source, own))
    assert str(findings) == "lost 1, doubled 0, overtaken 0, equal to the in-order result"
    assert not findings.clean


def test_a_doubled_event(world: World) -> None:
    source, at = world.busy()
    own = list(world.notes[source])
    own.insert(at[1], own[at[1]])
    assert str(world.check(changed(world, source, own))).startswith("lost 0, doubled 1, overtaken 0")


def test_two_events_in_the_wrong_order(world: World) -> None:
    source, at = world.busy()
    own = list(world.notes[source])
    own[at[0]], own[at[1]] = own[at[1]], own[at[0]]
    findings = world.check(changed(world, source, own))
    assert str(findings) == "lost 0, doubled 0, overtaken 1, equal to the in-order result"
    assert not findings.clean


def test_one_lost_and_one_doubled_do_not_cancel_out(world: World) -> None:
    source, at = world.busy()
    own = list(world.notes[source])
    own[at[1]] = own[at[0]]
    assert not world.check(changed(world, source, own)).clean


def test_a_trail_that_is_missing_and_one_of_nobody(world: World) -> None:
    trails = world.trails(world.notes)
    place, gone = trails.popitem()
    trails[place[0], "web-9"] = gone
    findings = check(world.must, world.notes, world.must, trails, landings_of(world.must))
    assert (findings.lost.total(), findings.doubled.total()) == (gone.events, gone.events)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"page_views": 0}, "lost"),
        ({"page_views": 1000}, "doubled"),
        ({"entry_page": "/else"}, ""),
        ({"exit_page": "/else"}, ""),
        ({"started_at": 0}, ""),
        ({"ended_at": 0}, ""),
        ({"visitor_id": "somebody"}, ""),
    ],
)
def test_a_visit_that_is_not_as_it_must_be(world: World, change: dict[str, Any], finding: str) -> None:
    session = min(world.must)
    rows = {**world.must, session: replace(world.must[session], **change)}
    findings = check(world.must, world.notes, rows, world.trails(world.notes), landings_of(rows))
    assert str(findings).endswith(", not equal to the in-order result")
    assert session in findings.details()[-1]
    assert {"lost": bool(findings.lost), "doubled": bool(findings.doubled)}.get(finding, True)
    assert not findings.clean


def test_a_visit_that_is_missing(world: World) -> None:
    rows = dict(world.must)
    gone = rows.pop(min(rows))
    findings = check(world.must, world.notes, rows, world.trails(world.notes), landings_of(rows))
    assert findings.lost.total() == 1 + gone.page_views


def test_an_event_missing_from_both_tables_is_one_loss(world: World) -> None:
    source, at = world.busy()
    own = list(world.notes[source])
    session = own.pop(at[1]).session
    rows = {
        **world.must,
        session: replace(world.must[session], page_views=world.must[session].page_views - 1),
    }
    findings = check(
        world.must, world.notes, rows, world.trails(changed(world, source, own)), landings_of(rows)
    )
    assert findings.lost.total() == 1


def test_a_server_that_did_not_announce_what_it_was_dealt(world: World, tmp_path: Path) -> None:
    noted = {source: notes_in_order(source, steps) for source, steps in world.hands.items()}
    assert list(unannounced(world.hands, noted)) == []
    noted["web-1"] = noted["web-1"][:-1]
    (line,) = unannounced(world.hands, noted)
    assert line.startswith("web-1 noted")


def notes_in_order(source: str, steps: Sequence[Step]) -> list[Announced]:
    """A server's notes in its own order."""
    return sorted(notes_of(source, steps), key=lambda note: int(note.id.rpartition("-")[2]))


@pytest.mark.parametrize(
    ("landed", "lost", "doubled", "end"),
    [
        ([], 1, 0, "equal to the in-order result"),
        (["/a", "/a"], 0, 1, "equal to the in-order result"),
        (["/elsewhere"], 0, 0, "not equal to the in-order result"),
    ],
)
def test_a_landing_that_is_not_as_it_must_be(
    world: World, landed: list[str], lost: int, doubled: int, end: str
) -> None:
    session = min(world.must)
    landings = {**landings_of(world.must), session: landed}
    findings = check(world.must, world.notes, world.must, world.trails(world.notes), landings)
    assert (findings.lost.total(), findings.doubled.total()) == (lost, doubled)
    assert str(findings).endswith(f", {end}")
    assert not findings.clean


def test_a_landing_of_nobody_is_one_too_many(world: World) -> None:
    landings = {**landings_of(world.must), "nobody": ["/"]}
    findings = check(world.must, world.notes, world.must, world.trails(world.notes), landings)
    assert findings.doubled == {"nobody": 1}
