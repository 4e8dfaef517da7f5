"""What docs/celery.md shows is run as it is written."""

from __future__ import annotations

from pathlib import Path

from support.pages import ROOT, block, shell, written
from support.spooled import spooled
from support.waiting import eventually

PAGE = ROOT / "docs/celery.md"


def test_the_application_runs(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "tasks.py", "publish.py")
    commands = block(PAGE, "commands").replace("celery -A", "exec celery -A")
    with shell(commands, tmp_path) as log:
        eventually(lambda: spooled(tmp_path))
        (event,) = spooled(tmp_path).values()
        assert (event["type"], event["data"], event["partitionkey"]) == ("billed", {"order": 7}, "s1")
    assert "Traceback" not in log.read_text()
