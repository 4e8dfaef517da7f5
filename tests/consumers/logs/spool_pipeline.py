"""Servers that announce into folders, and workers that read them, stepped in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from consumers.pipeline import TOPIC, Pipeline, known
from oyez.consumers import Handlers
from oyez.consumers.core.apart import OWN, ProcessKind
from oyez.consumers.database import Database
from oyez.consumers.logs.spool.folders import ReadableLogs
from oyez.consumers.logs.spool.member import SpoolLog
from oyez.consumers.logs.spool.members import Members
from oyez.consumers.run.assembly import make_worker
from oyez.consumers.worker.worker import Worker
from oyez.producers import Announcer
from oyez.producers.spool import SegmentName, SpoolTransport, Writer, found_in
from oyez.schemas import Signal


class SpoolPipeline(Pipeline):
    """A pipeline whose log are the folders below ``root``."""

    def __init__(
        self,
        url: str,
        on: Handlers,
        root: Path,
        *,
        segment_bytes: int = 400,
        source: str = "web",
        **said: Any,
    ) -> None:
        self.root = root
        self._bytes = segment_bytes
        self._named = 0
        super().__init__(url, on, transport="spool", spools=(root,), **said)
        self.announcer = self.server(source)

    def server(self, source: str, root: Path | None = None) -> Announcer:
        """The announcer of a server with a folder of its own."""

        def make(path: Path, topic: str) -> Writer:
            return Writer(path, topic, segment_bytes=self._bytes, fsync="never")

        transport = SpoolTransport((root or self.root) / source, make)
        return Announcer(transport, source=source, topic=TOPIC, catalogue=known, clock=self._nanoseconds)

    def worker(self, group: str, process: ProcessKind = OWN) -> Worker:
        self._named += 1
        members = Members(Database(self.engine), group, f"member-{self._named}", self.clock, self.clock)
        log = SpoolLog(ReadableLogs(self._settings), members, clock=self.clock, sleep=self.clock.sleep)
        return make_worker(
            self.application.groups[group],
            self._settings,
            engine=self.engine,
            source=log,
            clock=self.clock,
            sleep=self.clock.sleep,
            timer=self.clock,
            process=process,
        )

    def folders(self) -> list[Any]:
        return found_in(self._settings.spools, TOPIC)

    def segments(self, source: str = "web") -> list[Path]:
        """The segments of a server, in their order."""
        return sorted(one for one in (self.root / source / TOPIC).iterdir() if SegmentName.parse(one.name))

    def handle(self, *events: Signal) -> None:
        self.announce(*events)
        self.run()

    def _round(self) -> None:
        self.clock.now += 1.0
        super()._round()

    def _nanoseconds(self) -> int:
        return int(self.clock.now * 1_000_000_000)
