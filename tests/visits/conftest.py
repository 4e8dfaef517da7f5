"""Small logs for the tests of the reference application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

LogLine = Callable[..., str]


def log_line(at: str = "17/May/2015:10:05:03 +0000", path: str = "/", **parts: str) -> str:
    """One line in combined format; parts: address, method, status, agent."""
    fields = {"address": "1.2.3.4", "method": "GET", "status": "200", "agent": "Mozilla/5.0", **parts}
    request = f"{fields['method']} {path} HTTP/1.1"
    return f'{fields["address"]} - - [{at}] "{request}" {fields["status"]} 12 "-" "{fields["agent"]}"\n'


@pytest.fixture
def line() -> LogLine:
    """Make one line of a log."""
    return log_line


@pytest.fixture
def small_log(tmp_path: Path) -> Path:
    """Two visits of one visitor, one of another, an asset, a miss, and a line that is no request."""
    path = tmp_path / "small.log"
    path.write_text(
        log_line("17/May/2015:10:00:00 +0000", "/a?x=1")
        + log_line("17/May/2015:10:00:00 +0000", "/b")
        + log_line("17/May/2015:10:00:00 +0000", "/style.css")
        + log_line("17/May/2015:10:30:00 +0000", "/c")
        + log_line("17/May/2015:10:00:01 +0000", "/d", address="5.6.7.8", status="304")
        + log_line("17/May/2015:10:00:02 +0000", "/e", address="5.6.7.8", status="404")
        + "not a request\n"
        + log_line("17/May/2015:11:00:01 +0000", "/f")
    )
    return path
