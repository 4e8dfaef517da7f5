"""A collector that really runs: uvicorn, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from oyez.producers.collector.app import collector
from oyez.producers.collector.serving import listening, server
from oyez.producers.collector.settings import CollectSettings
from oyez.schemas import Catalogue, Signal

SIGNALS = Catalogue()
PAGE = "https://shop.example"
KEY = {"Authorization": "Bearer secret"}


class Viewed(Signal, name="page.viewed", number=1, catalogue=SIGNALS):
    url: str
    visitor_site: str | None = None
    visitor_address: str | None = None
    visitor_bot: bool = False


class Paid(Signal, name="order.paid", number=2, key="visitor", subject="order", catalogue=SIGNALS):
    visitor: str
    order: int


class Hidden(Signal, name="hidden", catalogue=SIGNALS):
    pass


def settings(folder: Path, **more: Any) -> CollectSettings:
    given: dict[str, Any] = {
        "spool": folder / "spool",
        "source": "door",
        "collect_port": 0,
        "collect_sites": {"shop": {"origins": [PAGE], "signals": ["page.viewed"]}},
        "collect_keys": {"secret": {"sources": ["/erp", "door"], "signals": ["order.paid", "page.viewed"]}},
        "collect_webhooks": ["events.example.com"],
        "collect_address_rate": 1e6,
        "collect_site_rate": 1e6,
    }
    return CollectSettings(**{**given, **more})


@contextmanager
def running(said: CollectSettings, *, signals: Catalogue = SIGNALS) -> Iterator[httpx.Client]:
    """A client of a collector with these settings."""
    with ThreadPoolExecutor(1) as pool:  # where Playwright's event loop is not: an announcer belongs to one
        app = pool.submit(collector, said, signals).result()
    with listening(said.collect_host, said.collect_port) as taken, serving(server(app, said), taken):
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=60) as client:
            yield client


@contextmanager
def serving(program: uvicorn.Server, taken: socket.socket) -> Iterator[None]:
    """A server in a thread, until the end of the block."""
    thread = threading.Thread(target=program.run, args=([taken],))
    thread.start()
    try:
        yield
    finally:
        program.should_exit = True
        thread.join(60)
    assert not thread.is_alive()


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    """A CloudEvent as another system sends it."""
    given = {"specversion": "1.0", "type": "order.paid", "source": "/erp", "id": f"e{number}"}
    return {**given, "data": {"visitor": "anna", "order": number}, **more}
