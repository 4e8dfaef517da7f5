"""The folder in which processes write their metrics, and under which names.

Each process writes files of its own there, and whoever answers a scrape adds them up (prometheus-client's
multiprocess mode). The names of the files are those of the supervisor's numbers, not of the processes: one that is
started again counts on in the files of the one before, so that there are never more of them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..health.folder import folders, name_of
from .errors import MetricsMissing

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Identity:
    """The name of this process's files. What a worker forks itself writes under its own number."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._prefix = str(self._pid)
        self._name = self._prefix

    def of(self, number: int) -> str:
        """The name for a process's number; it has no '_', which separates the parts of a file's name."""
        return f"{self._prefix}-{number}"

    def become(self, number: int) -> None:
        """From now on this process is the one of this number."""
        self._pid = os.getpid()
        self._name = self.of(number)

    def __call__(self) -> str:
        pid = os.getpid()
        return self._name if pid == self._pid else str(pid)


class Folder:
    """Where metrics are written, and by whom."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity

    def forget(self, number: int) -> None:
        """The process of this number has ended: what it said of itself, beside counts, holds no more."""
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 # an extra

        mark_process_dead(self.identity.of(number), str(self.path))  # type: ignore[no-untyped-call]


@contextmanager
def folder() -> Iterator[Folder]:
    """A folder for this process and those that it forks: one of its own below PROMETHEUS_MULTIPROC_DIR, else a
    temporary one. What others have left below it that are gone is removed.

    To be entered before the application is imported, so that the application's own metrics are written there
    too. Raises `MetricsMissing`.
    """
    given = os.environ.get(FOLDER, "")
    owner = os.getpid()
    path = _below(given, owner) if given else Path(tempfile.mkdtemp(prefix="oyez-metrics-"))
    os.environ[FOLDER] = str(path)
    try:
        yield Folder(path, _identify())
    finally:
        if os.getpid() == owner:
            _give_back(given)
            shutil.rmtree(path, ignore_errors=True)


def _give_back(given: str) -> None:
    if given:
        os.environ[FOLDER] = given
    else:
        del os.environ[FOLDER]


def _below(given: str, owner: int) -> Path:
    for left, alive in folders(given):
        if not alive:
            shutil.rmtree(left, ignore_errors=True)
    path = Path(given) / name_of(owner)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _identify() -> Identity:
    try:
        from prometheus_client import values  # noqa: PLC0415 # an extra, and to be imported after the folder is set
    except ModuleNotFoundError:
        raise MetricsMissing from None
    identity = Identity()
    values.ValueClass = values.MultiProcessValue(identity)  # type: ignore[no-untyped-call]
    return identity
