"""The collector on one core: 202 after fsync, beside Starlette that does nothing, and beside an fsync for each one."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from accounts import Loop
from bed import Figure, Row
from signals import encoded, views
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oyez.producers.collector.app import collector
from oyez.producers.collector.serving import listening, server
from oyez.producers.collector.settings import CollectSettings

CONNECTIONS = 256
FEWER = 10_000  # requests: a turn takes no minutes
HEAD = (
    b"POST /events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer secret\r\n"
    b"Content-Type: application/cloudevents+json\r\nContent-Length: %d\r\n\r\n"
)

Make = Callable[[Path, CollectSettings], Starlette]


def rows(count: int, turns: int) -> list[Row | Figure]:
    few = min(count, FEWER)
    nothing = Row("oyez collect: 202 after fsync", "Starlette: 202, doing nothing", 0.5)
    by_hand = Row("oyez collect: 202 after fsync", "Starlette: os.write, os.fsync, 202", 10)
    ours, theirs = Answers(), Answers()
    for _ in range(turns):
        with _served(_ours) as one, _served(_nothing) as other:
            nothing.turn(few, _loop(one, few, ours, _spooled), _loop(other, few, theirs, None))
        with _served(_ours) as one, _served(_by_hand) as other:
            by_hand.turn(few, _loop(one, few, ours, _spooled), _loop(other, few, Answers(), _written))
    value = f"{ours.slowest():.0f} ms, doing nothing {theirs.slowest():.0f} ms"
    return [
        nothing,
        by_hand,
        Figure(f"oyez collect: p99, {CONNECTIONS} connections", "", value, "to be known"),
    ]


class Answers:
    """How long requests took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def slowest(self) -> float:
        """Milliseconds in which 99 of 100 were answered."""
        return sorted(self.seconds)[len(self.seconds) * 99 // 100] * 1000


class Client(asyncio.Protocol):
    """A connection that sends one request after the other."""

    def __init__(self, requests: Iterator[bytes], answers: Answers, done: asyncio.Future[None]) -> None:
        self._requests, self._answers, self._done = requests, answers, done
        self._sent = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as asyncio calls it
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, ended, body = self._got.partition(b"\r\n\r\n")
        if not ended or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        assert head.startswith(b"HTTP/1.1 202 "), self._got
        self._got = b""
        self._answers.seconds.append(time.perf_counter() - self._sent)
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def _loop(
    at: tuple[int, Path], count: int, answers: Answers, found: Callable[[Path], list[str]] | None
) -> Loop:
    port, folder = at
    values = [value for _key, value in encoded(views(count))]
    requests = [HEAD % len(value) + value for value in values]

    async def run() -> None:
        loop, waiting = asyncio.get_running_loop(), iter(requests)
        ends = [loop.create_future() for _ in range(min(CONNECTIONS, count))]
        for end in ends:
            await loop.create_connection(partial(Client, waiting, answers, end), "127.0.0.1", port)
        await asyncio.gather(*ends)

    every = [json.loads(value)["id"] for value in values]
    return Loop(lambda: asyncio.run(run()), lambda: found(folder) if found else every)


def _ours(_folder: Path, settings: CollectSettings) -> Starlette:
    return collector(settings)


def _nothing(_folder: Path, _settings: CollectSettings) -> Starlette:
    async def answer(_request: Request) -> Response:
        return Response(status_code=202)

    return Starlette(routes=[Route("/events", answer, methods=["POST"])])


def _by_hand(folder: Path, _settings: CollectSettings) -> Starlette:
    file = os.open(folder / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def answer(request: Request) -> Response:
        os.write(file, await request.body() + b"\n")
        os.fsync(file)
        return Response(status_code=202)

    return Starlette(routes=[Route("/events", answer, methods=["POST"])])


@contextmanager
def _served(make: Make) -> Iterator[tuple[int, Path]]:
    """The port of a server that is a process of its own, and its folder."""
    with TemporaryDirectory() as name, listening("127.0.0.1", 0) as taken:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(make, Path(name), taken))
        process.start()
        try:
            yield taken.getsockname()[1], Path(name)
        finally:
            process.terminate()
            process.join()


def _serve(make: Make, folder: Path, taken: socket) -> None:
    settings = CollectSettings(
        transport="spool",
        spool=folder / "spool",
        source="door",
        collect_keys={"secret": {"sources": ["bench"], "signals": ["page.viewed"]}},
        collect_site_rate=1e9,
        collect_max_connections=CONNECTIONS * 2,
    )
    server(make(folder, settings), settings).run([taken])


def _spooled(folder: Path) -> list[str]:
    return _ids(folder.rglob("*.ndjson"))


def _written(folder: Path) -> list[str]:
    return _ids(folder.glob("lines"))


def _ids(files: Iterator[Path]) -> list[str]:
    return [json.loads(line)["id"] for file in files for line in file.read_bytes().splitlines()]
