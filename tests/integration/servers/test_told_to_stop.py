"""Servers that fork, replace their processes and stop deliver all that was announced, also what was not sent yet.

The client of Kafka keeps what is announced for as long as these tests take: only a flush sends it.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from integration.servers.signals import EARLY, known
from oyez.consumers.dev.ports import answers, free_port
from oyez.schemas import decode
from producers.kafka.test_transport import records
from producers.tasks import noting
from producers.tasks.files import queue_in
from support.processes import Program
from support.waiting import eventually

LONG = 60_000  # ms
"""For which the client gathers events, unless it is told to flush."""


@pytest.fixture
def settings(kafka: str, topic: str) -> dict[str, str]:
    """Events stay in the client until it is flushed."""
    options = {"linger.ms": LONG, "delivery.timeout.ms": 2 * LONG}
    return {"OYEZ_KAFKA": kafka, "OYEZ_TOPIC": topic, "OYEZ_KAFKA_OPTIONS": json.dumps(options)}


@pytest.fixture
def start(tmp_path: Path, settings: dict[str, str]) -> Iterator[Callable[..., Program]]:
    """Begins a server, which is killed if the test leaves it."""
    begun: list[Program] = []

    def begin(module: str, *arguments: str, **more: str) -> Program:
        program = Program(tmp_path / "log", module, *arguments, env={**settings, **more})
        begun.append(program)
        return program

    yield begin
    for program in begun:
        program.end()


def ask(port: int, numbers: range) -> list[str]:
    """The ids of what was announced for these, by several at a time."""

    def post(n: int) -> str:
        answer = client.post(f"/{n}", headers={"Connection": "close"})
        assert answer.status_code == 200, answer.text
        return answer.text.strip('"')

    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        return list(pool.map(post, numbers))


def arrived(settings: dict[str, str], count: int) -> dict[str, Any]:
    found = records(settings["OYEZ_KAFKA"], settings["OYEZ_TOPIC"], count)
    events = [decode(one.value(), one.headers(), one.key(), known) for one in found]
    assert len({event.id for event in events}) == count
    return {event.id: event.data for event in events}


def test_gunicorn_that_imports_before_it_forks_and_is_reloaded(
    start: Callable[..., Program], settings: dict[str, str]
) -> None:
    port = free_port()
    server = start(
        "gunicorn", "--preload", "-w", "2", "-b", f"127.0.0.1:{port}", "integration.servers.wsgi:app"
    )
    eventually(lambda: answers(port) and len(server.children()) == 2)
    first = {child.pid for child in server.children()}
    ids = ask(port, range(20))
    server.send(signal.SIGHUP)
    eventually(lambda: len(server.children()) == 2 and not first & {one.pid for one in server.children()})
    ids += ask(port, range(20, 40))
    assert server.stop() == 0, server.output()
    found = arrived(settings, 41)
    assert set(ids) < found.keys()
    assert Counter(data.n for data in found.values()) == Counter([EARLY, *range(40)])


def test_gunicorn_that_replaces_its_workers(start: Callable[..., Program], settings: dict[str, str]) -> None:
    port = free_port()
    options = ["--max-requests", "6", "--threads", "2", "-b", f"127.0.0.1:{port}"]
    server = start("gunicorn", *options, "integration.servers.wsgi:app")
    eventually(lambda: answers(port))
    ids = ask(port, range(20))
    assert server.stop() == 0, server.output()
    begun = server.output().count("Booting worker")
    assert begun >= 3
    found = arrived(settings, 20 + begun)
    assert set(ids) < found.keys()


def test_uvicorn_with_several_workers(start: Callable[..., Program], settings: dict[str, str]) -> None:
    port = free_port()
    server = start("uvicorn", "--workers", "2", "--port", str(port), "integration.servers.asgi:app")
    eventually(lambda: server.output().count("Application startup complete") == 2)
    ids = ask(port, range(20))
    server.stop()
    assert arrived(settings, 20).keys() == set(ids)


def test_celery_that_replaces_its_processes(
    start: Callable[..., Program], settings: dict[str, str], tmp_path: Path
) -> None:
    queue = tmp_path / "queue"
    queue.mkdir()
    worker = start(
        *("celery", "-A", "producers.tasks.noting", "worker", "-l", "info", "--concurrency", "2"),
        *("--max-tasks-per-child", "3", "--without-mingle", "--without-gossip"),
        CELERY_QUEUE=str(queue),
    )
    with noting.app.connection(transport_options=queue_in(str(queue))) as connection:
        for n in range(13):
            noting.note.apply_async([str(n)], connection=connection)
    eventually(lambda: worker.output().count("succeeded") == 13)
    assert worker.stop() == 0, worker.output()
    found = arrived(settings, 13)
    assert sorted(int(data.what) for data in found.values()) == list(range(13))
