"""Processes whose clock is wrong: libfaketime, from Debian's package."""

from __future__ import annotations

from pathlib import Path

from support.debian import unpacked


def shifted(offset: str) -> dict[str, str]:
    """The environment of a process whose wall clock is off by so much: "+1d", "-30d", "+3600". Its monotonic clock,
    by which it waits, is right."""
    library = unpacked("libfaketime").file("usr/lib/*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


class Turned:
    """A wall clock that is turned while processes run by it."""

    def __init__(self, file: Path) -> None:
        """``file`` says by how much it is off; it is made."""
        self._file = file
        self.to("+0")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of processes that go by it."""
        fixed = {name: value for name, value in shifted("").items() if name != "FAKETIME"}
        return {**fixed, "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1"}

    def to(self, offset: str) -> None:
        """Turn it, at once and whole."""
        half = self._file.with_suffix(".half")
        half.write_text(f"{offset}\n")
        half.replace(self._file)
