"""What could not be forced to disk, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .folder import SpoolError


def unforced(path: Path, force: Callable[[], None]) -> str | None:
    """Force to disk what is in a folder of the spool; why it could not be, None if it was."""
    try:
        force()
    except (OSError, SpoolError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        return f"the spool {path} could not be forced to disk: {why or error}"
    return None
