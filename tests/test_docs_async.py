"""What docs/announcing.md shows is run as it is written, by a real server with several processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import upgrade
from support.waiting import eventually

PAGE = (Path(__file__).parent.parent / "docs" / "announcing.md").read_text()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def block(name: str) -> str:
    found = re.search(rf"<!-- run: {re.escape(name)} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """The page's application, served; it ends by itself when it is told to."""
    (folder / "app.py").write_text(block("app.py"))
    port = str(free_port())
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    command = [sys.executable, "-m", "uvicorn", "app:app", "--workers", "2", "--port", port, *options]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=plain, stderr=log, stdout=log)
    try:
        eventually(lambda: "Application startup complete" in (folder / "log").read_text())
        yield f"http://127.0.0.1:{port}/views"
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=60)
    assert code in (0, -signal.SIGTERM), (folder / "log").read_text()


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
        found = _recorded(tmp_path)
        assert sorted(ids) == sorted(found)
        assert {one["partitionkey"] for one in found.values()} == {"s0", "s1", "s2"}
        with pytest.raises(urllib.error.HTTPError, match="422"):
            post(address, "{}")
    assert _recorded(tmp_path).keys() == found.keys()
    assert "Traceback" not in (tmp_path / "log").read_text()


def _recorded(folder: Path) -> dict[str, dict[str, str]]:
    lines = [line for file in (folder / "spool").rglob("*.ndjson") for line in file.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    assert len({one["id"] for one in events}) == len(events)
    return {one["id"]: one for one in events}


PLACED = """
import asyncio
from oyez.producers import AsyncAnnouncer
from orders import Base, Order, place
from sqlalchemy.ext.asyncio import create_async_engine

async def main() -> None:
    engine = create_async_engine("sqlite+aiosqlite:///orders.db")
    async with engine.begin() as db:
        await db.run_sync(Base.metadata.create_all)
    async with AsyncAnnouncer.from_settings() as announcer:
        await asyncio.gather(*(place(Order(), announcer, engine) for _ in range(3)))
    await engine.dispose()

asyncio.run(main())
"""


def test_an_event_is_announced_in_the_transaction_of_its_order(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/orders.db")
    upgrade(engine)
    (tmp_path / "orders.py").write_text(block("orders.py"))
    (tmp_path / "main.py").write_text(PLACED)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    given = {"OYEZ_TRANSPORT": "spool", "OYEZ_DATABASE": f"sqlite:///{tmp_path}/orders.db"}
    subprocess.run([sys.executable, "main.py"], cwd=tmp_path, env=plain | given, timeout=60, check=True)
    with engine.connect() as db:
        orders = list(db.execute(text("SELECT id FROM orders ORDER BY id")).scalars())
        events = [json.loads(value) for value in db.execute(text("SELECT value FROM oyez_outbox")).scalars()]
    engine.dispose()
    assert len(orders) == 3
    assert sorted(one["data"]["order_id"] for one in events) == orders
