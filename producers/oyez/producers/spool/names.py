"""The names of segments: they sort by position, and say to which log a segment belongs wherever it is copied to."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple, Self

_PATTERN = re.compile(r"(\d{20})-(\d{8}T\d{6}Z)-([0-9a-f]{32})\.ndjson")
_TIME = "%Y%m%dT%H%M%SZ"
ARCHIVED = ".gz"


class SegmentName(NamedTuple):
    """What a segment's name says.

    ``base``: the position of its first byte in the log; ``created``: when it was begun, in whole seconds since the
    epoch; ``log_id``: the UUID of the log, in hexadecimal. No two segments of a log have the same base, and no two logs
    the same id, so that names never collide.
    """

    base: int
    created: int
    log_id: str

    def __str__(self) -> str:
        return f"{self.base:020d}-{datetime.fromtimestamp(self.created, UTC):{_TIME}}-{self.log_id}.ndjson"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The parts of a file's name; None if it is not a segment's, or an archived one's."""
        found = _PATTERN.fullmatch(text)
        if found is None:
            return None
        base, created, log_id = found.groups()
        try:
            moment = datetime.fromisoformat(created)  # a tenth of the time that strptime takes
        except ValueError:
            return None
        return cls(int(base), int(moment.timestamp()), log_id)

    @classmethod
    def parse_archived(cls, text: str) -> Self | None:
        """The same for the file that an archived segment is in."""
        return cls.parse(text.removesuffix(ARCHIVED)) if text.endswith(ARCHIVED) else None
