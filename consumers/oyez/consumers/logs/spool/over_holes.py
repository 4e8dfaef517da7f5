"""Reading on after what is missing in a log, for those who keep no position."""

from __future__ import annotations

from oyez.producers.loggers import logger_named
from oyez.producers.spool import BytesMissing, LogReader, Segments

log = logger_named("oyez.spool")


class OverHoles:
    """A `LogReader` that says what is missing, and goes on after it. Workers halt there instead: they would lose it."""

    def __init__(self, segments: Segments) -> None:
        self._reader = LogReader(segments)
        self._said: int | None = None

    def read(self, position: int, limit: int) -> tuple[list[int], list[bytes], int]:
        """As `LogReader.read`. At a hole, what comes after it; nothing while nothing does."""
        while True:
            try:
                return self._reader.read(position, limit)
            except BytesMissing as error:
                following = self._after(position)
                self._say(position, following, error)
                if following is None:
                    return [], [], position
                position = following

    def close(self) -> None:
        """Let go of the segment."""
        self._reader.close()

    def _after(self, position: int) -> int | None:
        return next((one.base for one in self._reader.segments.all() if one.base > position), None)

    def _say(self, position: int, following: int | None, error: BytesMissing) -> None:
        """Once for each place."""
        if self._said == position:
            return
        self._said = position
        where = self._reader.segments.directory
        on = "it is waited for more" if following is None else f"reading goes on at {following}"
        log.warning("%s: bytes are missing from position %d on: %s; %s", where, position, error, on)
