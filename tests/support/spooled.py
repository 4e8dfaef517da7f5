"""What a spool holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def spooled(folder: Path) -> dict[str, dict[str, Any]]:
    """The events in the spool, by their ids; none is there twice."""
    texts = [file.read_text() for file in folder.rglob("*.ndjson")]
    # What has no end of its line is being written.
    lines = [line for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]
    events = [json.loads(line) for line in lines]
    found = {one["id"]: one for one in events}
    assert len(found) == len(events)
    return found
