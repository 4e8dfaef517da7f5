"""What could not be shipped, and never will be: kept beside the log, with the reason."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

FILE = "refused.ndjson"


def quarantine(directory: Path, log_id: str, position: int, line: bytes, reason: str, now: float) -> None:
    """Keep a line of a log, and why it was refused; on disk when this returns. OSError: it could not be.

    Each record says when (``at``), from where (``log``, ``position``), why (``reason``) and what (``record``, the line
    as text). One that is quarantined again, since its shipper was killed meanwhile, stands there twice.
    """
    said = {
        "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        "log": log_id,
        "position": position,
        "reason": reason,
        "record": line.decode("utf-8", "surrogateescape"),
    }
    written = json.dumps(said).encode() + b"\n"
    file = os.open(directory / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        torn = size and os.pread(file, 1, size - 1) != b"\n"
        if os.write(file, b"\n" + written if torn else written) < len(written):
            os.ftruncate(file, size)
            raise OSError(28, "No space left on device", str(directory / FILE))
        os.fsync(file)
    finally:
        os.close(file)


def count_refused(directory: Path, log_id: str) -> int:
    """How many records of a log were quarantined."""
    try:
        with (directory / FILE).open("rb") as file:
            places = {_place(line) for line in file}
    except FileNotFoundError:
        return 0
    return sum(1 for place in places if place is not None and place[0] == log_id)


def _place(line: bytes) -> tuple[str, int] | None:
    try:
        said = json.loads(line)
        return str(said["log"]), int(said["position"])
    except (ValueError, KeyError, TypeError):
        return None
