"""What the commands refuse, each in one line with the exit status it ends in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from oyez.schemas import OyezError

FAILED, FOUND, NOT_FOUND, UNREACHABLE, INTERRUPTED = 1, 3, 4, 5, 130


class VisitsError(OyezError):
    """Something the user can put right: the message says what, where and what to do."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def reported() -> Iterator[None]:
    """End the program with one line on stderr when something is wrong."""
    try:
        yield
    except OyezError as error:
        print(f"visits: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.status if isinstance(error, VisitsError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
