"""One web server: announces the page views that it is dealt, and notes what it announced.

Run by the driver as `python -m visits.server WORK SOURCE PAUSE DELAY`; says `ready`, and begins when told to.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from oyez.producers import Announcer
from oyez.schemas import OyezError, catalogue
from visits.sessions import Step
from visits.signals import PageViewed, SessionStarted
from visits.work import Announced, Work, read_steps


def signals_of(step: Step) -> list[SessionStarted | PageViewed]:
    """What is announced for a view: that its visit began, if it did, and that it was viewed."""
    view, session = step.view, step.session_id
    seen = PageViewed(session_id=session, at=view.at, line=view.line, path=view.path)
    if not step.first:
        return [seen]
    start = SessionStarted(
        session_id=session, visitor_id=step.visitor_id, at=view.at, line=view.line, path=view.path
    )
    return [start, seen]


class Pace:
    """Traffic in its time: line n of the log is due n * pause + delay seconds after the beginning."""

    def __init__(
        self, pause: float, delay: float, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._pause = pause
        self._clock = clock
        self._sleep = sleep
        self._begin = clock() + delay

    def wait(self, line: int) -> None:
        """Return when the line is due."""
        remaining = self._begin + line * self._pause - self._clock()
        if remaining > 0:
            self._sleep(remaining)


def announce_all(
    announcer: Announcer, steps: Iterable[Step], notes: TextIO, due: Callable[[int], None]
) -> None:
    """Announce every step when its line is due, noting each event once it was handed over."""
    for step in steps:
        due(step.view.line)
        for signal in signals_of(step):
            event_id = announcer.announce(signal)
            note = Announced(catalogue[type(signal)].name, event_id, step.session_id)
            notes.write(json.dumps(asdict(note)) + "\n")


def serve(work: Work, source: str, pause: float, delay: float) -> None:
    """Announce what this server was dealt, from the word go to the last acknowledgement."""
    steps = list(read_steps(work.dealt(source)))
    with Announcer.from_settings() as announcer, work.announced(source).open("w", buffering=1) as notes:
        print("ready", flush=True)
        if not sys.stdin.readline():
            return  # the driver is gone
        pace = Pace(pause, delay, clock=time.monotonic, sleep=time.sleep)
        announce_all(announcer, steps, notes, pace.wait)


def main(arguments: list[str]) -> int:
    """Serve, as the command line says; 1 and one line if something was not delivered."""
    folder, source, pause, delay = arguments
    try:
        serve(Work(Path(folder)), source, float(pause), float(delay))
    except OyezError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
