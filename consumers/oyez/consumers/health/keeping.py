"""The heartbeats of a command: of its main process, and of the workers that it forks."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from oyez.producers import SettingsError

from ..instrumentation import events
from ..processes.spec import Place, ProcessSpec
from .beat import born_at
from .folder import MAIN, default, folders, name_of, why_not
from .heart import EVERY, Heart
from .judging import problems_in
from .pulse import Pulse, WorkerPulse
from .systemd import Systemd, systemd_from
from .writing import File


class Keeper:
    """Keeps them, in a folder. It is a subscriber: what a worker tells of itself is its heartbeat."""

    def __init__(self, folder: Path, limit: float, systemd: Systemd) -> None:
        """``limit``: seconds without progress that are too many. Raises `SettingsError` if nothing can be said."""
        self.folder = folder
        self._limit = limit
        self._systemd = systemd
        self._paths: dict[str, str] = {}
        self._main = Pulse(MAIN, limit)
        self._file = File(str(folder / MAIN))
        self._pid, self._born = os.getpid(), born_at(os.getpid())
        self._said = float("-inf")
        self._here = threading.local()
        self._begin(self._file.write(self._main.beat(self._pid, self._born)))

    def beating(self, specs: Sequence[ProcessSpec]) -> list[ProcessSpec]:
        """The same specs, whose processes have heartbeats. Raises `SettingsError` if there is no room for them."""
        for number, spec in enumerate(specs):
            self._paths[spec.name] = str(self.folder / str(number))
            self._begin(self._lay(spec.name, "it does not run yet"))
        return [replace(spec, work=partial(self._work, spec.name, spec.work)) for spec in specs]

    def receive(self, event: events.InstrumentationEvent) -> None:
        """In a worker: what it tells. In the supervisor: a worker has died."""
        pulse: WorkerPulse | None = getattr(self._here, "pulse", None)
        if pulse is not None:
            pulse.receive(event)
        elif isinstance(event, events.WorkerDied) and event.worker in self._paths:
            again = f"it is started again in {event.delay_seconds:.1f} s"
            self._lay(event.worker, f"it ended with {event.how}; {again}")

    def turn(self) -> None:
        """In the supervisor, each time that it comes round."""
        now = time.monotonic()
        if now - self._said < EVERY:
            return
        self._said = now
        self._main.begin("working")
        self._file.write(self._main.beat(self._pid, self._born))
        self._tell()

    def stop(self) -> None:
        """It was told to stop."""
        self._main.begin("stopping")
        self._file.write(self._main.beat(self._pid, self._born))
        self._systemd.stop()

    @contextmanager
    def alone(self) -> Iterator[Pulse]:
        """The heartbeat of a command that forks no workers."""
        with Heart(self._main, self._file, self._tell):
            yield self._main
        self.stop()

    def _begin(self, why_not: str) -> None:
        if why_not:
            raise _refused(self.folder.parent, why_not)

    def _lay(self, name: str, why: str) -> str:
        """There is no process of this name at the moment. Returns why that cannot be said."""
        file = File(self._paths[name])
        why_not = file.write(Pulse(name, self._limit).beat(0, 0, why))
        file.close()
        return why_not

    def _work(self, name: str, work: Callable[[Place], None], place: Place) -> None:
        """A worker's, in its thread: others may have theirs in the same process."""
        self._here.pulse = WorkerPulse(name, self._limit)
        with Heart(self._here.pulse, File(self._paths[name])):
            work(place)

    def _tell(self) -> None:
        if self._systemd.is_there:
            self._systemd.tell(problems_in(str(self.folder), time.monotonic()))


@contextmanager
def kept(where: Path | None, limit: float) -> Iterator[Keeper]:
    """The heartbeats of this process and those that it forks, in a folder of their own below ``where``. What commands
    have left there that are gone is removed. Raises `SettingsError` for a folder that cannot be used."""
    home = _made(where or Path(default(os.environ)))
    for path, alive in folders(str(home)):
        if not alive:
            shutil.rmtree(path, ignore_errors=True)
    owner = os.getpid()
    folder = home / name_of(owner)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _refused(home, str(error.strerror)) from None
    try:
        yield Keeper(folder, limit, systemd_from(os.environ))
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _made(home: Path) -> Path:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        why = why_not(str(home))
        if not why and not os.access(home, os.W_OK):
            why = "this user may not write to it"
    except OSError as error:
        why = str(error.strerror)
    if why:
        raise _refused(home, why)
    return home


def _refused(home: Path, why: str) -> SettingsError:
    return SettingsError(f"health (OYEZ_HEALTH): {home} cannot have heartbeats: {why}; name another folder")
