"""What was announced in asyncio arrives although nobody closes the announcer, and a fork begins anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import asyncio, multiprocessing, os, sys
from oyez.producers import AsyncAnnouncer
from oyez.producers.spool import SpoolTransport
from oyez.schemas import Signal
from pathlib import Path

class Ticked(Signal, name="ticked"):
    by: str

announcer = AsyncAnnouncer(SpoolTransport(Path(sys.argv[1])), source="web-1")

async def tick(by):
    await announcer.announce(Ticked(by=by), key="k")
"""
NOBODY_WAITS = """
async def main():
    loop = asyncio.get_running_loop()
    task = loop.create_task(tick("a"))
    await asyncio.sleep(0)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
"""
ENDED_BEFORE_THE_THREAD_WAS_WOKEN = """
async def main():
    asyncio.get_running_loop().call_soon(sys.exit, 0)
    tick("a").send(None)
    await asyncio.sleep(60)

asyncio.new_event_loop().run_until_complete(main())
"""
CANCELLED_AT_THE_END = """
async def main():
    tasks = [asyncio.create_task(tick(by)) for by in "abc"]
    await asyncio.sleep(0)

asyncio.run(main())
"""
MADE_BEFORE_THE_FORK = """
def work(by):
    asyncio.run(tick(by))

asyncio.run(tick("a"))
children = [multiprocessing.get_context("fork").Process(target=work, args=(by,)) for by in "bc"]
for child in children:
    child.start()
for child in children:
    child.join(60)
    assert child.exitcode == 0, child.exitcode
"""
FORKED_WITH_EVENTS_PENDING = """
def work():  # what waits is its parent's
    assert announcer.announced == 0
    asyncio.run(tick("b"))
    assert announcer.announced == 1

async def main():
    await tick("c")
    task = asyncio.create_task(tick("a"))
    await asyncio.sleep(0)
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    await task
    child.join(60)
    assert child.exitcode == 0, child.exitcode
    assert announcer.announced == 2

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("script", "who"),
    [
        (NOBODY_WAITS, "a"),
        (ENDED_BEFORE_THE_THREAD_WAS_WOKEN, "a"),
        (CANCELLED_AT_THE_END, "abc"),
        (MADE_BEFORE_THE_FORK, "abc"),
        (FORKED_WITH_EVENTS_PENDING, "abc"),
    ],
)
def test_each_arrives_once(tmp_path: Path, script: str, who: str) -> None:
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for file in tmp_path.rglob("*.ndjson") for line in file.read_text().splitlines()]
    assert sorted(line.partition('"by":"')[2][0] for line in lines) == list(who)


LOSSY = """
class Lossy:
    def report_to(self, report):
        self.report = report
    def send(self, topic, key, value):
        self.value = value
    def flush(self, timeout):
        self.report(self.value, "gone")
    def close(self, timeout):
        pass

announcer = AsyncAnnouncer(Lossy(), source="web-1")
async def main():
    task = asyncio.create_task(tick("a"))
    await asyncio.sleep(0)
asyncio.run(main())
"""


def test_what_did_not_arrive_is_told_though_nobody_waits(tmp_path: Path) -> None:
    assert "(key k) did not arrive: gone" in run(LOSSY, tmp_path).stderr


def run(script: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of its own after HEAD, for at most a minute."""
    command = [sys.executable, "-c", HEAD + script, str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
