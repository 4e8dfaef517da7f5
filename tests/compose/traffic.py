"""Visits announced from this machine, and whether each had its effect once, in its order."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, select
from sqlalchemy.exc import OperationalError

from compose.project import Project
from oyez.producers import Announcer, NotAnnounced, Settings
from oyez.schemas import Signal
from support.services import unique
from support.waiting import eventually
from visits.signals import PageViewed, SessionStarted
from visits.tables import trail, visits
from visits.trails import Trail, trail_of

PATIENT = {"delivery_timeout": 600, "flush_timeout": 200}  # s: services are restarted meanwhile
PAUSE = 0.02  # s from one session to the next, so that there is a load for as long as something is done


class Traffic:
    """One server's sessions; what was announced is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._engine = create_engine(
            project.database, pool_pre_ping=True, connect_args={"connect_timeout": 5}
        )
        self._source = unique("web")
        self._ids: dict[str, list[str]] = defaultdict(list)
        settings = Settings(kafka=project.kafka, transport="kafka", **PATIENT)
        self._announcer = Announcer.from_settings(settings, source=self._source)

    def announce(self, sessions: int, stop: threading.Event | None = None) -> None:
        """Announce so many sessions, or until it is told to stop, and wait until all have arrived."""
        dice = random.Random(1)
        for _ in range(sessions):
            if stop is not None and stop.wait(PAUSE):
                break
            self._session(dice.randint(1, 4))
        self._announcer.flush()

    def _session(self, views: int) -> None:
        session = unique("")[1:17].ljust(16, "0")
        page = {"session_id": session, "at": 1, "path": "/"}
        ids = self._ids[session]
        ids.append(self._say(SessionStarted(**page, line=0, visitor_id=session)))
        for line in range(views):
            ids.append(self._say(PageViewed(**page, line=line)))

    def _say(self, event: Signal) -> str:
        """Its id, once it was taken. A web server whose broker is away would answer its visitor, and use a spool."""

        def taken() -> str | None:
            try:
                return self._announcer.announce(event)
            except NotAnnounced:
                return None

        return eventually(taken, 150, every=0.2) or ""

    @contextmanager
    def load(self, sessions: int = 20000) -> Iterator[None]:
        """Sessions are announced while the block runs, and some have been when it begins."""
        stop = threading.Event()
        thread = threading.Thread(target=self.announce, args=(sessions, stop))
        thread.start()
        try:
            eventually(lambda: len(self._ids) > 50)
            yield
        finally:
            stop.set()
            thread.join(PATIENT["flush_timeout"])
            assert not thread.is_alive()

    def goes_on(self) -> None:
        """Wait until a hundred sessions that begin from now on have been handled: some are in each partition."""
        seen = len(self._ids)
        eventually(lambda: len(self._ids) > seen + 100)
        new = set(list(self._ids)[seen : seen + 100])
        eventually(lambda: new <= self._trails().keys(), 150, every=0.2)

    def _handled(self) -> int:
        return sum(one.events for one in self._trails().values())

    def settle(self, timeout: float = 150.0) -> None:
        """Wait until all that was announced has been handled; then each event once, and in its order."""
        due = {session: trail_of(ids) for session, ids in self._ids.items()}
        assert due

        def is_handled() -> bool:
            return self._handled() >= sum(one.events for one in due.values())

        try:
            eventually(is_handled, timeout, every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._project.said()}") from None
        assert self._trails() == due
        assert self._views() == {session: len(ids) - 1 for session, ids in self._ids.items()}

    def _trails(self) -> dict[str, Trail]:
        wanted = select(trail.c.session_id, trail.c.events, trail.c.h).where(trail.c.source == self._source)
        return {row.session_id: Trail(row.events, row.h) for row in self._rows(wanted)}

    def _views(self) -> dict[str, int]:
        wanted = select(visits.c.session_id, visits.c.page_views)
        return {row.session_id: row.page_views for row in self._rows(wanted) if row.session_id in self._ids}

    def _rows(self, wanted: object) -> list:  # type: ignore[type-arg]
        def asked() -> list | None:  # type: ignore[type-arg]
            try:
                with self._engine.connect() as db:
                    return [*db.execute(wanted), None]  # type: ignore[call-overload]
            except OperationalError:  # it is being restarted
                return None

        found = eventually(asked, every=0.2)
        assert found is not None
        return found[:-1]

    def close(self) -> None:
        self._announcer.close()
        self._engine.dispose()
