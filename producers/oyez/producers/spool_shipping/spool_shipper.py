"""Shipping all logs of a spool."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..loggers import logger_named
from ..ordered_sender import OrderedSender
from ..spool.finding import found_in
from ..spool.folder import Folder
from ..spool.retiring import RETENTION, retire
from .log_shipper import LogShipper, Stuck
from .mark import Mark
from .trouble import Troubles

log = logger_named("oyez.spool")


@dataclass(frozen=True)
class Pass:
    """What one pass did: events ``shipped``, and the folders that cannot be shipped on, each with the reason."""

    shipped: int
    stuck: dict[Path, str]


class SpoolShipper:
    """Ships what is found below some directories, log by log."""

    def __init__(
        self,
        roots: Sequence[Path],
        topic: str,
        make_sender: Callable[[], OrderedSender],
        *,
        retention: RETENTION = "keep",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``topic`` is for segments without a folder.json; ``retention`` for segments all of which was shipped. The
        sender is made when there is something to ship."""
        self._retention: RETENTION = retention
        self._roots = roots
        self._topic = topic
        self._make = make_sender
        self._clock = clock
        self._sender: OrderedSender | None = None
        self._logs: dict[tuple[Path, str], LogShipper] = {}
        self._told: set[Path] = set()

    def run(self, stop: Callable[[], bool]) -> Pass:
        """One pass over all logs. What stands in the way of one is told, and stops no other."""
        shipped, stuck = 0, dict[Path, str]()
        for one in self._found(stuck):
            if stop():
                break
            try:
                shipped += self._ship(one, stop)
            except Stuck as error:
                shipped += error.shipped
                stuck[one.folder.path] = str(error)
                self._tell(one.folder, str(error))
        return Pass(shipped, stuck)

    def rest(self) -> None:
        """Let go of the connection; it is made again when it is needed."""
        self.close(1.0)

    def close(self, timeout: float) -> None:
        """Let go of the connection, in ``timeout`` seconds."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close(timeout)

    def _ship(self, one: LogShipper, stop: Callable[[], bool]) -> int:
        if not one.has_backlog():
            return 0
        if self._sender is None:
            self._sender = self._make()
        count = one.ship(self._sender, stop)
        if count is None:
            return 0
        Troubles(one.folder.path, one.folder.log_id).clear()
        self._retire(one.folder)
        if one.folder.path in self._told:
            self._told.discard(one.folder.path)
            log.info("the spool %s is shipped again", one.folder.path)
        return count

    def _retire(self, folder: Folder) -> None:
        try:
            retire(folder, Mark(folder.path, folder.log_id).read() or 0, self._retention)
        except OSError as error:
            log.warning("the spool %s: what was shipped stays: %s", folder.path, error.strerror)

    def _tell(self, folder: Folder, error: str) -> None:
        Troubles(folder.path, folder.log_id).write(error, self._clock())
        self._say(folder.path, error)

    def _say(self, path: Path, error: str) -> None:
        """One line when it begins; the rest can be asked for."""
        if path not in self._told:
            self._told.add(path)
            log.warning("the spool %s waits: %s", path, error)

    def _found(self, stuck: dict[Path, str]) -> list[LogShipper]:
        """What is there, or was. What may not be read, or is no folder, is told, and is in ``stuck`` from now on."""
        errors: list[str] = []
        try:
            found = found_in(self._roots, self._topic, lambda error: errors.append(str(error)))
        except OSError as error:
            found, errors = [], [str(error)]
        for folder in found:
            key = (folder.path, folder.log_id)
            if key not in self._logs:
                self._logs[key] = LogShipper(folder, clock=self._clock)
        if errors:
            stuck[self._roots[0]] = errors[0]
            self._say(self._roots[0], errors[0])
        return list(self._logs.values())
