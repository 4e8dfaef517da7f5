"""When events of ours were made: their ids say so."""

from __future__ import annotations

import re

_BY_TIME = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def made_at(event_id: str) -> float | None:
    """When an event of ours was made, in seconds since the epoch; None for an id that does not say."""
    found = _BY_TIME.fullmatch(event_id)
    return None if found is None else int(found[1] + found[2], 16) / 1000
