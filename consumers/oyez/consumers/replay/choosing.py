"""Which of the stored events are meant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from oyez.producers.spool.blanks import SIGNAL as FORGOTTEN
from oyez.schemas import Undecodable
from oyez.schemas.replaying import Stored, stored_event

from .sources import Kept, Missing, Source

MOST_SHOWN = 5
MANY = 1_000


@dataclass(frozen=True)
class Wanted:
    """Empty sets mean any. ``since`` and ``until`` are in seconds since the epoch: the first that is meant, and the
    first that is not meant any more. An event that was announced again ``most`` times before is not announced again."""

    signals: Set[str] = frozenset()
    keys: Set[str] = frozenset()
    ids: Set[str] = frozenset()
    sources: Set[str] = frozenset()
    since: float | None = None
    until: float | None = None
    most: int = 5

    def has(self, event: Stored) -> bool:
        """Whether this event is meant; one that was forgotten is none."""
        return (
            event.signal != FORGOTTEN
            and (not self.signals or event.signal in self.signals)
            and (not self.keys or event.key in self.keys)
            and (not self.ids or bool({event.id, event.origin} & self.ids))
            and (not self.sources or event.source in self.sources)
            and self._is_in_time(event)
        )

    def _is_in_time(self, event: Stored) -> bool:
        """What does not say when it was is in no time that is asked for."""
        if self.since is None and self.until is None:
            return True
        moment = _moment(event.time)
        if moment is None:
            return False
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


class Picked(NamedTuple):
    """An event that is meant, the record that it was stored as, and how often it was announced again before."""

    kept: Kept
    event: Stored
    replays: int

    def again(self, new_id: str | None) -> bytes:
        """Its bytes as it is announced once more."""
        return self.event.again(new_id, replays=self.replays)


@dataclass
class Seen:
    """What a source has of what is meant. An event and its replays are one: ``replays`` has, for each, how often it was
    announced again. ``unreadable`` counts records that are no events, the first of them with ``reasons``; ``missing``
    says which records are not there."""

    replays: dict[bytes, int] = field(default_factory=dict)
    unreadable: int = 0
    reasons: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def looped(self, most: int) -> int:
        """How many events were announced again so often that they are left out."""
        return sum(count >= most for count in self.replays.values())

    def miss(self, records: Missing) -> None:
        """Some are not there; each reading says so."""
        if records.says not in self.missing:
            self.missing.append(records.says)

    def refuse(self, kept: Kept, reason: str) -> None:
        """A record is no event."""
        self.unreadable += 1
        if len(self.reasons) < MOST_SHOWN:
            self.reasons.append(f"{kept.where}: {reason}")


def look(source: Source, wanted: Wanted, on_read: Callable[[int], None] = lambda _count: None) -> Seen:
    """Read all of a source once. ``on_read`` is told now and then how many records more were read."""
    seen = Seen()
    for number, kept in enumerate(source.read(wanted.since), 1):
        if number % MANY == 0:
            on_read(MANY)
        if isinstance(kept, Missing):
            seen.miss(kept)
            continue
        try:
            event = stored_event(kept.value, kept.headers, kept.key)
        except Undecodable as error:
            seen.refuse(kept, error.reason)
            continue
        if wanted.has(event):
            mark = _mark(event)
            seen.replays[mark] = max(event.replays, seen.replays.get(mark, 0))
    return seen


def chosen(
    source: Source, wanted: Wanted, seen: Seen, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Picked]:
    """The events that are meant, each once, where it was first; without those that were announced again too often.
    After a stop come no more. What is missing by now is noted in ``seen`` too."""
    done: set[bytes] = set()
    for kept in source.read(wanted.since):
        if stopped():
            return
        if isinstance(kept, Missing):
            seen.miss(kept)
            continue
        try:
            event = stored_event(kept.value, kept.headers, kept.key)
        except Undecodable:
            continue
        mark = _mark(event)
        replays = seen.replays.get(mark)
        if replays is None or replays >= wanted.most or mark in done or not wanted.has(event):
            continue
        done.add(mark)
        yield Picked(kept, event, replays)


def _mark(event: Stored) -> bytes:
    """What an event and its replays have in common, in few bytes: there may be millions."""
    return hashlib.blake2b(f"{event.source}\0{event.origin}".encode(), digest_size=16).digest()


def _moment(text: str | None) -> float | None:
    try:
        moment = datetime.fromisoformat((text or "").upper())
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
