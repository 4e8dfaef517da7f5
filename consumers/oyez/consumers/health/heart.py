"""A thread that writes the beats of its process."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

from ..core.places import passes_through, place_of
from ..handlers import callers
from .beat import born_at
from .judging import frozen_after
from .pulse import Pulse
from .writing import File

EVERY = 1.0  # s
LATE = 5.0  # s without coming round, after which it is said where it is


class Heart:
    """Beats for the thread that enters it, until that leaves. ``then`` is called after each beat."""

    def __init__(self, pulse: Pulse, file: File, then: Callable[[], None] = lambda: None) -> None:
        self._pulse = pulse
        self._file = file
        self._then = then
        self._pid = os.getpid()
        self._born = born_at(self._pid)
        self._over = threading.Event()
        self._of = threading.get_ident()
        self._was_in_handler = False
        self._thread = threading.Thread(target=self._beat, name="oyez-heart", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(EVERY)

    def _beat(self) -> None:
        before = time.monotonic()
        while True:
            if time.monotonic() - before > frozen_after(self._pulse.limit):
                self._pulse.begin_anew()  # it was frozen, and has to find its way first
            before = time.monotonic()
            self._write(before)
            self._then()
            if self._over.wait(EVERY):
                return

    def _write(self, now: float) -> None:
        is_late = now - self._pulse.turned >= LATE or self._pulse.is_waiting
        if self._pulse.doing == "resting" or not is_late:
            self._was_in_handler = False
            self._file.write(self._pulse.beat(self._pid, self._born))
            return
        frame = sys._current_frames().get(self._of)  # noqa: SLF001 # Python has no other way
        place = "" if frame is None else place_of(frame)
        is_in_handler = passes_through(frame, str(callers.__file__))
        if is_in_handler and not self._was_in_handler and self._pulse.is_waiting:
            self._pulse.turn()  # what it waited for is back: from now on it is the handler that counts
        self._was_in_handler = is_in_handler
        self._file.write(self._pulse.beat(self._pid, self._born, place, is_in_handler=is_in_handler))
