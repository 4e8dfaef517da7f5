"""What docs/announcing.md shows is run as it is written, by a real server with several processes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from oyez.consumers.dev.ports import free_port
from support.pages import ROOT, shell, written
from support.spooled import spooled
from support.waiting import eventually

PAGE = ROOT / "docs/announcing.md"


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """The page's application, served; it ends by itself when it is told to."""
    written(PAGE, folder, "app.py")
    port = free_port()
    with shell(f"exec uvicorn app:app --workers 2 --port {port} {' '.join(options)}", folder) as log:
        eventually(lambda: "Application startup complete" in log.read_text())
        yield f"http://127.0.0.1:{port}/views"


def post(address: str, body: str, session: str = "s1") -> str:
    """What is answered: the id of the event."""
    asked = urllib.request.Request(address, body.encode(), {"x-session": session})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        said: str = json.load(answer)["id"]
        return said


def test_the_application_announces_what_it_is_asked_to(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        with ThreadPoolExecutor(20) as pool:
            ids = list(pool.map(lambda n: post(address, f'{{"url": "/{n}"}}', f"s{n % 3}"), range(100)))
        # What was answered is stored, whatever becomes of the server.
        found = spooled(tmp_path)
        assert sorted(ids) == sorted(found)
        assert {one["partitionkey"] for one in found.values()} == {"s0", "s1", "s2"}
        with pytest.raises(urllib.error.HTTPError, match="422"):
            post(address, "{}")
        with pytest.raises(urllib.error.HTTPError, match="422"):
            post(address, '{"url": "/"}', session="")
    assert spooled(tmp_path).keys() == found.keys()
    assert "Traceback" not in (tmp_path / "log").read_text()
