"""Processes whose clock is wrong: libfaketime, from Debian's package."""

from __future__ import annotations

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
