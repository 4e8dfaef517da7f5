"""`visits site`, running."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from support.pages import ROOT, plain_environment
from support.waiting import eventually


@contextmanager
def running_site(folder: Path, *options: str) -> Iterator[httpx.Client]:
    """A client of a site that keeps its things in a folder, until the end of the block."""
    log = folder / "site.log"
    command = [
        sys.executable,
        "-m",
        "visits",
        "site",
        "--port",
        "0",
        "--work",
        str(folder / "site"),
        *options,
    ]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=plain_environment(PYTHONPATH=str(ROOT / "examples")),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        eventually(lambda: "\n" in log.read_text() or process.poll() is not None)
        found = re.search(r"http://[\d.]+:\d+", log.read_text())
        assert found, log.read_text()
        with httpx.Client(base_url=found[0], timeout=60) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM, log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait(60)


def reported(client: httpx.Client, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The report, once it is as it should be."""
    last: dict[str, Any] = {}

    def asked() -> bool:
        last.update(client.get("/report.json").raise_for_status().json())
        return holds(last)

    try:
        eventually(asked, every=0.1)
    except AssertionError:
        raise AssertionError(f"the report stays {last}") from None
    return last
