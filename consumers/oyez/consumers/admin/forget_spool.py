"""Forgetting a key or a subject in the logs of the spool, in each of their copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oyez.producers.spool import Folder, Forgotten, SpoolError, Writer, forget
from oyez.producers.spool.forgetting import IsTheirs
from oyez.producers.spool_shipping.refused import forget_refused

from ..database.personal import Person
from ..reports.personal import finder


@dataclass(frozen=True, slots=True)
class Removed:
    """What was done in one place: how much was ``found`` there, ``removed``, or ``left``, and ``why``."""

    where: str
    found: int
    removed: int
    why: str | None = None
    is_for_now: bool = False
    """Whether another run may remove what is left."""

    @property
    def left(self) -> int:
        """What is still there."""
        return self.found - self.removed


class SpoolPlace:
    """The logs of the spool, with all copies."""

    def __init__(self, folders: Sequence[Folder], own: Path, *, written_here: bool) -> None:
        """Those below ``own`` are this host's, if it is their only writer: ``written_here``. A new segment may be begun
        in them then. A copy looks the same: somebody has to say that it is none."""
        self._folders = folders
        self._own = own.resolve()
        self._written_here = written_here

    def forget(self, person: Person, found: int) -> Removed:
        """Take out of each log what is theirs, of which ``found`` is known; what could not be is said, by log."""
        is_theirs, removed, why, is_for_now = finder(person), 0, [], False
        for folder in self._folders:
            try:
                done = self._rewrite(folder, is_theirs)
                quarantined = forget_refused(folder.path, is_theirs)
            except (SpoolError, OSError) as error:
                why.append(str(error))
                is_for_now = True
                continue
            removed += done.events + (quarantined or 0)
            why += self._left(folder, done)
            if quarantined is None:
                why.append(f"{folder.path}: it is being shipped, so what was quarantined of it stays")
            is_for_now |= quarantined is None or bool(done.open and self._is_own(folder))
        return Removed("spool", max(found, removed), removed, "; ".join(why) or None, is_for_now)

    def _rewrite(self, folder: Folder, is_theirs: IsTheirs) -> Forgotten:
        done = forget(folder, is_theirs)
        if not (done.open and self._written_here and self._is_own(folder)):
            return done
        _roll(folder)
        again = forget(folder, is_theirs)
        again.events += done.events
        return again

    def _left(self, folder: Folder, done: Forgotten) -> Iterator[str]:
        if done.open:
            what = "see --written-here" if self._is_own(folder) else "forget where that is, then copy it here"
            yield f"{folder.path}: {done.open} in the segment that is being written, {what}"
        if done.short:
            yield f"{folder.path}: {done.short} lines that are too short to be replaced"

    def _is_own(self, folder: Folder) -> bool:
        return folder.path.resolve().parent == self._own


def _roll(folder: Folder) -> None:
    """Let the log go on in a new segment: what was written until now is not written to any more."""
    writer = Writer(folder.path, folder.topic)
    writer.roll()
    writer.close()
