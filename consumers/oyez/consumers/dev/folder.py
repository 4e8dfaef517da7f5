"""The folder of a service: given and kept, or temporary and removed."""

import fcntl
import shutil
import tempfile
import time
from pathlib import Path

from oyez.consumers.dev.errors import ServiceError

PREFIX = "oyez-dev-"
LOCK = "in-use"
YOUNG = 60.0  # seconds within which a folder may still be without its lock


class ServiceFolder:
    """A folder for a service's files. `given` None: a temporary one, removed by `close()`.

    A process that was killed cannot remove its own; the next one that makes a temporary folder does.
    """

    def __init__(self, given: Path | None) -> None:
        self._temporary = given is None
        self.path = (given or _temporary()).absolute()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / LOCK).open("w")
        try:
            # The kernel gives the lock back when this process ends, however it ends.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ServiceError(f"{self.path} is in use by another process: choose another folder") from None

    def close(self) -> None:
        """Give it up; a temporary folder is removed."""
        self._lock.close()
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def _temporary() -> Path:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def _is_abandoned(folder: Path) -> bool:
    try:
        if time.time() - folder.stat().st_ctime < YOUNG:
            return False
        with (folder / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # held, not ours, or just gone
    return True
