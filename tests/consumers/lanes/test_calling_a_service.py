"""A handler that awaits a slow service, as docs/concurrency.md shows it: many requests are under way at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from consumers.lanes.gated_handlers import loose, offsets, step_until
from consumers.pipeline import Placed, Play, placed

LANES = 8
EVENTS = 24


class SlowService(ThreadingHTTPServer):
    """Answers when so many requests have come as there are lanes; the first request of event 1 fails."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.arrived = 0
        self.change = threading.Condition()
        self.failed: set[str] = set()
        self.charged: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: SlowService

    def do_POST(self) -> None:
        with self.server.change:
            self.server.arrived += 1
            self.server.change.notify_all()
            self.server.change.wait_for(lambda: self.server.arrived >= LANES, timeout=60)
        if self.path == "/1" and self.path not in self.server.failed:
            self.server.failed.add(self.path)
            self.send_error(503)
            return
        self.server.charged.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def service() -> Iterator[SlowService]:
    made = SlowService()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_slow_service_is_asked_for_many_events_at_once(lanes: Play, service: SlowService) -> None:
    on = loose()
    address = f"http://127.0.0.1:{service.server_port}"

    @on(Placed, group="loose", concurrency=LANES, timeout=60)
    async def charge(event: Placed) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            answer = await client.post(f"{address}/{event.n}")
            answer.raise_for_status()

    pipeline = lanes(on)
    pipeline.announce(*placed(range(EVENTS)))
    step_until(pipeline, lambda: offsets(pipeline) == [EVENTS])
    assert [n for _, n, _ in pipeline.parked()] == [1]
    pipeline.later()
    assert sorted(service.charged) == sorted(f"/{n}" for n in range(EVENTS))
    assert pipeline.is_clean()
