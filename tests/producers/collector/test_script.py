"""`oyez.js`, as it is given out."""

from __future__ import annotations

import gzip
from pathlib import Path

from producers.collector.running import running, settings


def test_it_has_less_than_3_kb_compressed(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        answer = client.get("/oyez.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert len(gzip.compress(answer.content)) < 3000
    assert b"eval" not in answer.content
