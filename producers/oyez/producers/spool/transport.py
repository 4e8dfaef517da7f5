"""The transport "spool": events are appended to local files, for whoever reads or ships them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import TransportRefused
from ..forks import call_in_child
from ..settings import Settings
from .finding import own_spool
from .folder import SpoolError
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
        if b"\n" in value:
            value = b" ".join(value.split(b"\n"))  # only between the members of JSON of another maker
        try:
            writer.append(value)
        except SpoolError as error:
            raise TransportRefused(str(error)) from None
        except OSError as error:
            where = error.filename or self._path / topic
            raise TransportRefused(f"the spool {where}: {error.strerror}; nothing was recorded") from error

    def flush(self, timeout: float) -> None:
        """Force to disk what was taken, unless that is left to the system for ever (fsync ``never``).
        TransportRefused: it could not be."""
        for topic, writer in list(self._writers.items()):
            try:
                writer.flush()
            except OSError as error:
                raise TransportRefused(
                    f"the spool {self._path / topic} could not be forced to disk: {error.strerror}"
                ) from error

    def close(self, timeout: float) -> None:
        """Force to disk what is to be, and let go of the files."""
        for writer in list(self._writers.values()):
            writer.close()

    def _writer(self, topic: str) -> Writer:
        with self._lock:
            return self._writers.setdefault(topic, self._make(self._path / topic, topic))

    def _begin_in_child(self) -> None:
        self._lock = threading.Lock()


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
