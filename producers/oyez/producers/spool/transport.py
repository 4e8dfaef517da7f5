"""The transport "spool": events are appended to local files, for whoever reads or ships them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import TransportRefused
from ..forks import call_in_child
from ..pieces import pieces
from ..settings import Settings
from ..transport import Encoded
from .finding import own_spool
from .folder import SpoolError
from .unforced import unforced
from .writer import Writer


class SpoolTransport:
    """Appends events to the spool at ``path``, a folder for each topic. What `send` took is recorded."""

    def __init__(self, path: Path, make: Callable[[Path, str], Writer] = Writer) -> None:
        """``make(path, topic)`` gives the writer for a folder."""
        self._path = path
        self._make = make
        self._writers: dict[str, Writer] = {}
        self._lock = threading.Lock()
        call_in_child(self._begin_in_child)

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Append one event. TransportRefused: the disk is full, the folder cannot be written to, or the like; the event
        was not recorded."""
        writer = self._writers.get(topic) or self._writer(topic)
        try:
            writer.append(_in_a_line(value))
        except (SpoolError, OSError) as error:
            raise self._refused(topic, error) from error

    def send_many(self, events: Sequence[Encoded]) -> Sequence[TransportRefused | None]:
        """Append events, in one write and one fsync for about a megabyte of a topic: all of it is recorded, or none."""
        outcome: list[TransportRefused | None] = [None] * len(events)
        by_topic: dict[str, list[int]] = {}
        for number, (topic, _key, _value) in enumerate(events):
            by_topic.setdefault(topic, []).append(number)
        for topic, numbers in by_topic.items():
            for piece in pieces(numbers, lambda number: len(events[number][2])):
                refused = self._append(topic, [events[number][2] for number in piece])
                for number in piece:
                    outcome[number] = refused
        return outcome

    def flush(self, timeout: float) -> None:
        """Force to disk what was taken, unless that is left to the system for ever (fsync ``never``).
        TransportRefused: it could not be."""
        self._force(lambda writer: writer.flush)

    def close(self, timeout: float) -> None:
        """Force to disk what is to be, and let go of the files. TransportRefused: something could not be forced; all
        files are let go of."""
        self._force(lambda writer: writer.close)

    def _append(self, topic: str, values: Sequence[bytes]) -> TransportRefused | None:
        """Append several to one topic; why not, if it was not done."""
        writer = self._writers.get(topic) or self._writer(topic)
        try:
            writer.append_all([_in_a_line(value) for value in values])
        except (SpoolError, OSError) as error:
            return self._refused(topic, error)
        return None

    def _force(self, how: Callable[[Writer], Callable[[], None]]) -> None:
        """Each topic, whatever becomes of the others."""
        written = list(self._writers.items())
        failed = [why for topic, writer in written if (why := unforced(self._path / topic, how(writer)))]
        if failed:
            raise TransportRefused(failed[0])

    def _refused(self, topic: str, error: SpoolError | OSError) -> TransportRefused:
        if isinstance(error, SpoolError):
            return TransportRefused(str(error))
        where = error.filename or self._path / topic
        return TransportRefused(f"the spool {where}: {error.strerror}; nothing was recorded")

    def _writer(self, topic: str) -> Writer:
        with self._lock:
            return self._writers.setdefault(topic, self._make(self._path / topic, topic))

    def _begin_in_child(self) -> None:
        self._lock = threading.Lock()


def _in_a_line(value: bytes) -> bytes:
    """Line feeds are only between the members of JSON of another maker."""
    return b" ".join(value.split(b"\n")) if b"\n" in value else value


def writer_from(settings: Settings) -> Callable[[Path, str], Writer]:
    """Makes writers as set."""

    def make(path: Path, topic: str) -> Writer:
        return Writer(
            path,
            topic,
            fsync=settings.spool_fsync,
            interval=settings.spool_fsync_interval,
            segment_bytes=settings.spool_segment_bytes,
            segment_seconds=settings.spool_segment_seconds,
        )

    return make


def from_settings(settings: Settings) -> SpoolTransport:
    """The transport named "spool"."""
    return SpoolTransport(own_spool(settings), writer_from(settings))
