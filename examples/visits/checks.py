"""Whether each event had its effect once, and in order: the tables against the servers' own notes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from oyez.schemas import catalogue
from visits.sessions import Step, Visit
from visits.signals import PageViewed, SessionStarted
from visits.trails import Trail, trail_of
from visits.work import Announced

START, VIEW = catalogue[SessionStarted].name, catalogue[PageViewed].name
Place = tuple[str, str]  # a session, and the source of the events


@dataclass(slots=True)
class Findings:
    """What a check found, by session; overtaken are the trails whose events came in another order."""

    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    overtaken: list[Place] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    unannounced: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.lost or self.doubled or self.overtaken or self.differences or self.unannounced)

    def __str__(self) -> str:
        equal = "not equal" if self.differences else "equal"
        lost, doubled = self.lost.total(), self.doubled.total()
        return (
            f"lost {lost}, doubled {doubled}, overtaken {len(self.overtaken)}, {equal} to the in-order result"
        )

    def details(self) -> list[str]:
        """One line for each thing that is not as it must be."""
        lines = list(self.unannounced)
        lines += [f"session {session}: {n} lost" for session, n in self.lost.items()]
        lines += [f"session {session}: {n} doubled" for session, n in self.doubled.items()]
        lines += [f"session {session} from {source}: not in its order" for session, source in self.overtaken]
        return lines + self.differences


def check(
    must: Mapping[str, Visit],
    notes: Mapping[str, Sequence[Announced]],
    rows: Mapping[str, Visit],
    trails: Mapping[Place, Trail],
    landings: Mapping[str, Sequence[str]],
) -> Findings:
    """Compare the tables (visits and landings by session) with the in-order result and the servers' notes."""
    found = Findings()
    _compare_visits(found, must, rows)
    _compare_trails(found, trails_of(notes), trails)
    _compare_landings(found, rows, landings)
    return found


def trails_of(notes: Mapping[str, Sequence[Announced]]) -> dict[Place, Trail]:
    """The trails that the notes must lead to: a start is handled before the views that wait for it."""
    ids: dict[Place, list[str]] = defaultdict(list)
    for source, own in notes.items():
        for note in sorted(own, key=lambda note: note.signal != START):
            ids[note.session, source].append(note.id)
    return {place: trail_of(own) for place, own in ids.items()}


def unannounced(
    hands: Mapping[str, Iterable[Step]], notes: Mapping[str, Sequence[Announced]]
) -> Iterator[str]:
    """One line for each server that did not announce just what it was dealt, in its order."""
    for source, steps in hands.items():
        due = [event for step in steps for event in _events_of(step)]
        noted = [(note.signal, note.session) for note in notes[source]]
        if due != noted:
            yield f"{source} noted {len(noted)} events that are not the {len(due)} of the lines it was dealt"


def _events_of(step: Step) -> list[tuple[str, str]]:
    return [(signal, step.session_id) for signal in ([START, VIEW] if step.first else [VIEW])]


def _compare_visits(found: Findings, must: Mapping[str, Visit], rows: Mapping[str, Visit]) -> None:
    for session in sorted(must.keys() | rows.keys()):
        due, row = must.get(session), rows.get(session)
        # A row stands for the event that made it, and for the views it counts.
        missing = _events(due) - _events(row)
        found.lost += Counter({session: missing})
        found.doubled += Counter({session: -missing})
        if due != row:
            found.differences.append(f"visit {session} is {_text(row)}, must be {_text(due)}")


def _compare_trails(found: Findings, must: Mapping[Place, Trail], trails: Mapping[Place, Trail]) -> None:
    lost: Counter[str] = Counter()
    doubled: Counter[str] = Counter()
    for place in sorted(must.keys() | trails.keys()):
        due, own = must.get(place, Trail()), trails.get(place, Trail())
        lost[place[0]] += max(0, due.events - own.events)
        doubled[place[0]] += max(0, own.events - due.events)
        if due.events == own.events and due.h != own.h:
            found.overtaken.append(place)
    # An event missing from both tables is one loss.
    found.lost |= lost
    found.doubled |= doubled


def _compare_landings(
    found: Findings, rows: Mapping[str, Visit], landings: Mapping[str, Sequence[str]]
) -> None:
    """One for each visit that was opened: where a visit is missing, the loss is that of its start."""
    for session in sorted(rows.keys() | landings.keys()):
        due = [rows[session].entry_page] if session in rows else []
        own = list(landings.get(session, []))
        found.lost += Counter({session: len(due) - len(own)})
        found.doubled += Counter({session: len(own) - len(due)})
        if len(own) == len(due) and own != due:
            found.differences.append(f"visit {session} landed on {own[0]}, must be {due[0]}")


def _events(visit: Visit | None) -> int:
    return 0 if visit is None else 1 + visit.page_views


def _text(visit: Visit | None) -> str:
    return "missing" if visit is None else str(asdict(visit))
