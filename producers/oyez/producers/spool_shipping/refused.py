"""What could not be shipped, and never will be: kept beside the log, with the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ..spool.folder import sync_directory
from ..spool.retiring import NEW
from .lock import SHIP_LOCK, FileLock

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


def refused_of(directory: Path, is_theirs: Callable[[bytes], bool]) -> list[dict[str, object]]:
    """What was quarantined of records that are theirs."""
    try:
        lines = (directory / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if _is_of(line, is_theirs)]


def forget_refused(directory: Path, is_theirs: Callable[[bytes], bool]) -> int | None:
    """Take what is theirs out of what was quarantined; returns how much that was, or None while somebody ships the
    folder. OSError: it cannot be written; all is as it was."""
    with FileLock(directory / SHIP_LOCK).held_if_free() as is_ours:
        if not is_ours:
            return None
        # Of one who was killed; the folder may be gone, too.
        (directory / f"{FILE}{NEW}").unlink(missing_ok=True)
        try:
            lines = (directory / FILE).read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return 0
        others = [line for line in lines if not _is_of(line, is_theirs)]
        if len(others) < len(lines):
            _replace(directory / FILE, b"".join(others))
        return len(lines) - len(others)


def _replace(path: Path, content: bytes) -> None:
    """All of it, or nothing."""
    new = path.with_name(f"{path.name}{NEW}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)
    sync_directory(path.parent)


def _is_of(line: bytes, is_theirs: Callable[[bytes], bool]) -> bool:
    try:
        record = json.loads(line)["record"]
        return is_theirs(record.encode("utf-8", "surrogateescape"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _place(line: bytes) -> tuple[str, int] | None:
    try:
        said = json.loads(line)
        return str(said["log"]), int(said["position"])
    except (ValueError, KeyError, TypeError):
        return None
