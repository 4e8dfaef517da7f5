"""What the commands refuse, each in one line with the exit status it ends in."""

from __future__ import annotations

FAILED, FOUND, NOT_FOUND, UNREACHABLE = 1, 3, 4, 5


class VisitsError(Exception):
    """Something the user can put right: the message says what, where and what to do."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status
