"""Wall clocks that are wrong, and can be turned while processes run by them. What they wait by, is right."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from support.debian import unpacked

DAY = 86_400.0
HOUR = 3_600.0
_INJECTED = Path(__file__).parent / "wall_clock"


class WrongClock:
    """A wall clock that is off by so many seconds. ``file`` says by how much; it is made."""

    def __init__(self, file: Path, off: float = 0.0) -> None:
        self._file = file
        self.turn(off)

    def turn(self, off: float) -> None:
        """Set it, at once and whole."""
        half = self._file.with_suffix(".half")
        half.write_text(f"{off:+.0f}\n")
        half.replace(self._file)

    def for_python(self, *paths: Path) -> Mapping[str, str]:
        """The environment of a Python process that goes by it, with these folders among its modules'.

        It is injected: with libfaketime 0.9.10, `time.sleep` of Python 3.11 fails, or `Event.wait` never ends.
        """
        path = os.pathsep.join(map(str, (_INJECTED, *paths)))
        return {"PYTHONPATH": path, "WALL_CLOCK_OFF": str(self._file)}

    def for_servers(self) -> Mapping[str, str]:
        """The environment of a PostgreSQL that goes by it: libfaketime, from Debian's package."""
        library = unpacked("libfaketime").file("usr/lib/*/faketime/libfaketime.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
