"""What answers scrapes and probes: `/metrics`, `/livez`, `/readyz`, `/healthz`. It is a process of its own, since the
supervisor, which forks, must not have threads."""

from __future__ import annotations

import math
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ..health.judging import Problem, problems_in
from .connections import Bounds, Connections
from .errors import PortTaken

TEXT = "text/plain; charset=utf-8"
READS, PAUSE = 10, 0.02  # times that the files are read at most, and s between them
FULL = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
"""For who is one too many."""
NOTICE = 0.2  # s; how late the end of the supervisor may be noticed


class Answer(NamedTuple):
    """An answer to a request."""

    status: int
    kind: str
    body: bytes


class Files(Collector):
    """What the processes have written, added up."""

    def __init__(self, folder: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self._files = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]
        self._sleep = sleep

    def collect(self) -> Iterator[Metric]:
        """All metrics. What is not a number was withdrawn by who had said it: see `Metrics`."""
        for metric in self._read():
            if metric.name.startswith("oyez_"):
                metric.samples = [sample for sample in metric.samples if not math.isnan(sample.value)]
            yield metric

    def _read(self) -> list[Metric]:
        """A file that is being made at this very moment cannot be read yet."""
        for _ in range(READS - 1):
            try:
                return [*self._files.collect()]  # type: ignore[no-untyped-call]
            except (OSError, ValueError, struct.error):
                self._sleep(PAUSE)
        return [*self._files.collect()]  # type: ignore[no-untyped-call]


class Answers:
    """What is answered to whom."""

    def __init__(
        self,
        folder: Path,
        heartbeats: Path,
        alive: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``folder`` has the metrics, ``heartbeats`` what workers say of themselves; ``alive`` says whether the
        supervisor lives."""
        self._files = Files(folder)
        self._heartbeats = str(heartbeats)
        self._clock = clock
        self._alive = alive

    def to(self, path: str, accept: str) -> Answer:
        """The answer to a GET of ``path``."""
        try:
            return self._found(path, accept)
        except Exception as error:  # noqa: BLE001 # whoever asked is told
            return _said(500, f"{type(error).__name__}: {error}")

    def _found(self, path: str, accept: str) -> Answer:
        match path:
            case "/metrics":
                return self._metrics(accept)
            case "/healthz":
                return _said(200, "ok") if self._alive() else _said(503, "the supervisor is gone")
            case "/livez":
                return _judged([one for one in self._problems() if one.is_stuck], "alive")
            case "/readyz":
                return _judged(self._problems(), "ready")
        return _said(404, "there are /metrics, /livez, /readyz and /healthz")

    def _problems(self) -> list[Problem]:
        return problems_in(self._heartbeats, self._clock())

    def _metrics(self, accept: str) -> Answer:
        registry = CollectorRegistry()
        registry.register(self._files)
        encode, kind = choose_encoder(accept)
        return Answer(200, kind, encode(registry))


def _judged(problems: Sequence[Problem], well: str) -> Answer:
    return _said(503, *map(str, problems)) if problems else _said(200, well)


def _said(status: int, *lines: str) -> Answer:
    return Answer(status, TEXT, "".join(f"{line}\n" for line in lines).encode())


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; raises `PortTaken`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=64)
    except (OSError, OverflowError) as error:
        raise PortTaken(host, port, error if isinstance(error, OSError) else OSError(str(error))) from None


class Endpoint(ThreadingHTTPServer):
    """The HTTP server, on a socket that is there already."""

    timeout = NOTICE
    daemon_threads = False  # an answer that was begun is finished

    def __init__(
        self,
        listening: socket.socket,
        answers: Answers,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.answers = answers
        self._connections = Connections(bounds or Bounds(), clock)

    def serve(self, stopped: Callable[[], bool]) -> None:
        """Answer until ``stopped()``, and finish what was begun, as far as that takes no longer than it may."""
        while not stopped():
            self.handle_request()
            self._connections.cut_overdue()
        self.socket.close()
        self._connections.end()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, if there is room."""
        if self._connections.add(request):
            super().process_request(request, client_address)
            return
        with suppress(OSError):
            request.sendall(FULL)
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """It has been answered, or has gone."""
        self._connections.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has gone before the answer."""


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    timeout = 3  # s; for whoever connects and does not ask

    def do_GET(self) -> None:  # http.server's name
        status, kind, body = self.server.answers.to(urlsplit(self.path).path, self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 # http.server's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # http.server's name
        """A scrape is no line in the log."""
