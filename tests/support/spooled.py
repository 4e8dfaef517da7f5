"""What a spool holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def spooled(folder: Path) -> dict[str, dict[str, Any]]:
    """The events in the spool, by their ids; none is there twice."""
    lines = [line for file in folder.rglob("*.ndjson") for line in file.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    found = {one["id"]: one for one in events}
    assert len(found) == len(events)
    return found
