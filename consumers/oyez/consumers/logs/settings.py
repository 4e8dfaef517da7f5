"""What is set for reading logs, beside what `Settings` has."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from oyez.producers import Settings


class LogSettings(Settings):
    """The settings that a log is made from."""

    spools: tuple[Path, ...] = Field(default=(), examples=[["/srv/web-1"]])
    """The folders below which logs of the spool are read; `spool` if none is named."""
