"""Shipping one log of the spool, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from oyez.schemas import OyezError

from ..loggers import logger_named
from ..ordered_sender import OrderedSender, Outgoing, WholeOrder
from ..spool.blanks import is_blank
from ..spool.folder import LOCK, Folder
from ..spool.reader import BytesMissing, LogReader
from ..spool.segments import Segments
from .lines import NoEvent, outgoing
from .lock import SHIP_LOCK, FileLock
from .mark import Mark
from .refused import quarantine

log = logger_named("oyez.spool")

_BATCH = 1_000
_NEARLY = 256 * 1024
"""So many bytes before its end a log may be held against appending, so that the end can be reached."""


class Stuck(OyezError):
    """A log cannot be shipped on at present; the message says why. `shipped`: events that were before."""

    def __init__(self, reason: str, shipped: int = 0) -> None:
        super().__init__(reason)
        self.shipped = shipped


class _Lines(NamedTuple):
    """Lines of a log to be shipped: where the first begins, and where the next one does after each. What was forgotten
    is not among them; ``begin`` is after it."""

    begin: int
    lines: list[bytes]
    ends: list[int]


class LogShipper:
    """Ships what is in a log, from its mark on. The mark moves once everything before it has been acknowledged: a
    shipper that is killed leaves at most a batch that the next one sends again."""

    def __init__(
        self,
        folder: Folder,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        timeout: float = 10.0,
        grip: float = 1.0,
    ) -> None:
        """``timeout``: seconds that the acknowledgement of a batch may take; ``grip``: that of the last batches in
        all, during which nobody can append; ``timer`` gives seconds."""
        self.folder = folder
        self._clock = clock
        self._timer = timer
        self._timeout = timeout
        self._grip = grip
        self._mark = Mark(folder.path, folder.log_id)
        self._segments = Segments(folder.path, folder.log_id)
        self._reader = LogReader(self._segments)
        self._shipping = FileLock(folder.path / SHIP_LOCK)
        self._appending = FileLock(folder.path / LOCK)
        self._position = self._shipped = 0
        self._most = _BATCH

    def has_backlog(self) -> bool:
        """Whether something was not shipped yet. Raises `Stuck`."""
        with self._named():
            return (self._mark.read() or 0) != self._segments.end()

    def ship(self, sender: OrderedSender, stop: Callable[[], bool]) -> int | None:
        """Ship everything, or until told to stop; returns how many events were, or None if another process ships the
        folder at the moment.

        Raises `Stuck`; what was shipped before is marked.
        """
        try:
            with self._named(), self._shipping.held_if_free() as is_ours:
                if not is_ours:
                    return None
                self._position = self._begin()
                self._all(sender, stop)
                return self._shipped
        finally:
            self._shipped = 0
            self._reader.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What is wrong with the files of a log is this log's trouble."""
        try:
            yield
        except BytesMissing as missing:
            hint = (
                f"copy the segment here again, or remove {self._mark.path}: then all that is there is shipped"
            )
            raise Stuck(f"{missing}; {hint} again", self._shipped) from None
        except OSError as error:
            where = error.filename or self.folder.path
            raise Stuck(f"{where}: {error.strerror}", self._shipped) from error

    def _begin(self) -> int:
        """Where to go on. The first mark needs room on the disk: without it all would be sent again each time."""
        marked, end = self._mark.read(), self._segments.end()
        if marked is None:
            start = self._segments.start()
            if start != end:
                self._mark.write(start)
            return start
        newest = self._segments.newest()
        if marked <= end:
            return marked
        begin = newest.base if newest else 0
        log.warning(
            "the spool %s ends at %d, before what was shipped: %d; from %d on it is shipped again",
            self.folder.path,
            end,
            marked,
            begin,
        )
        return begin

    def _all(self, sender: OrderedSender, stop: Callable[[], bool]) -> None:
        """Whoever appends never waits for a broker that is away: the log is held against them only while the last
        batches are shipped, once one has been acknowledged without that in so short a time as it may be held."""
        answers = False
        while not stop() and (left := self._left()):
            if left <= _NEARLY and answers:
                answers = False
                self._finish(sender, stop)
                continue
            lines = self._next() if left > _NEARLY else self._next_held()
            before, began = self._shipped, self._timer()
            self._some(sender, lines, began + self._timeout)
            answers = self._shipped > before and self._timer() - began <= self._grip

    def _finish(self, sender: OrderedSender, stop: Callable[[], bool]) -> None:
        """Reach the end, if there is time enough; what stands in the way then is said by who goes on without haste."""
        with self._appending.held(), suppress(Stuck):
            until = self._timer() + self._grip
            while not stop() and self._left() and self._timer() + self._grip / 2 <= until:
                self._some(sender, self._next(), until)

    def _left(self) -> int:
        return self._segments.end() - self._position

    def _next_held(self) -> _Lines:
        """What is at the end may be taken back by whoever is appending it: it stays once the lock is free."""
        with self._appending.held():
            return self._next()

    def _next(self) -> _Lines:
        begins, lines, after = self._reader.read(self._position, self._most)
        kept = [at for at, line in enumerate(lines) if not is_blank(line)]
        first, *ends = [*(begins[at] for at in kept), after]
        return _Lines(first, [lines[at] for at in kept], ends)

    def _some(self, sender: OrderedSender, batch: _Lines, until: float) -> None:
        """Ship a batch, or put one line aside."""
        begin, lines, ends = batch
        if begin > self._position:
            self._move(begin)
        if not lines:
            return
        events, why = self._events(lines)
        if not events:
            self._quarantine(lines[0], why, ends[0])
            return
        shipped = sender.send(events, WholeOrder(), until - self._timer()).leading()
        if shipped.is_refused and not shipped.count and len(events) > 1:
            # A batch may be refused for its size: what is refused alone is refused for ever.
            left = max(0.0, until - self._timer())
            shipped, self._most = sender.send(events[:1], WholeOrder(), left).leading(), len(events) // 2
        elif shipped.reason is None:
            self._most = min(_BATCH, self._most * 2)
        if shipped.count:
            self._move(ends[shipped.count - 1])
            self._shipped += shipped.count
        if shipped.reason is None:
            return
        if not shipped.is_refused:
            raise Stuck(shipped.reason, self._shipped)
        if not shipped.count:
            self._quarantine(lines[0], shipped.reason, ends[0])

    def _events(self, lines: list[bytes]) -> tuple[list[Outgoing], str]:
        """The events at the beginning of some lines, and why the next line is none."""
        events: list[Outgoing] = []
        try:
            for line in lines:
                events.append(outgoing(self.folder.topic, line))
        except NoEvent as error:
            return events, str(error)
        return events, ""

    def _quarantine(self, line: bytes, why: str, after: int) -> None:
        path, position = self.folder.path, self._position
        log.error("the spool %s: the record at %d was quarantined: %s", path, position, why)
        quarantine(path, self.folder.log_id, position, line, why, self._clock())
        self._move(after)

    def _move(self, position: int) -> None:
        """What is marked must be on disk: a log that ended before its mark would take new records for shipped ones."""
        self._reader.sync()
        self._mark.write(position)
        self._position = position
