"""What answers scrapes is kept by nobody: neither by who sends slowly, nor by who only connects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from oyez.consumers.metrics import endpoint
from oyez.consumers.metrics.connections import Bounds
from oyez.consumers.metrics.endpoint import Answers, Endpoint, listen_on
from oyez.consumers.metrics.multiprocess_files import Folder
from support.waiting import eventually

BOUNDS = Bounds(most=2, seconds=10.0, grace=0.0)


class Served:
    """An endpoint that answers in a thread, whose clock is told the time."""

    def __init__(self, folder: Path, heartbeats: Path) -> None:
        self.now = 1_000.0
        self._over = threading.Event()
        listening = listen_on("127.0.0.1", 0)
        self.address: tuple[str, int] = listening.getsockname()
        endpoint = Endpoint(listening, Answers(folder, heartbeats, lambda: True), BOUNDS, lambda: self.now)
        self.thread = threading.Thread(target=endpoint.serve, args=(self._over.is_set,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self._over.set()

    def has_stopped(self) -> bool:
        return not self.thread.is_alive()

    def ask(self) -> str:
        """The first line of an answer."""
        with closing(socket.create_connection(self.address, timeout=30)) as asking:
            asking.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return asking.makefile().readline().strip()


class Slow:
    """Who asks, a letter now and then: never so late that it would be taken for gone."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=30)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.has_begun = threading.Event()
        self.is_cut = False
        self._thread.start()

    def _send(self) -> None:
        try:
            self._socket.sendall(b"GET /healthz HTTP/1.0\r\nX: ")
            self.has_begun.set()
            while not self._over.wait(0.05):
                self._socket.sendall(b"x")
        except OSError:
            self.is_cut = True

    def close(self) -> None:
        self._over.set()
        self._thread.join(30)
        self._socket.close()


@pytest.fixture
def served(place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(endpoint._Handler, "timeout", 60)  # of real seconds, for each read
    made = Served(place.path, tmp_path)
    yield made
    made.stop()
    eventually(made.has_stopped, 60)


@pytest.fixture
def slow(served: Served) -> Iterator[Slow]:
    with closing(Slow(served.address)) as made:
        eventually(made.has_begun.is_set, 30)
        yield made


def test_who_sends_slowly_is_cut(served: Served, slow: Slow) -> None:
    assert served.ask() == "HTTP/1.0 200 OK"
    assert not slow.is_cut
    served.now += BOUNDS.seconds + 1
    eventually(lambda: slow.is_cut, 30)
    eventually(lambda: served.ask() == "HTTP/1.0 200 OK", 30)


def test_who_sends_slowly_keeps_nobody_from_stopping(served: Served, slow: Slow) -> None:
    assert served.ask() == "HTTP/1.0 200 OK"  # so the slow one's turn, before it, has come
    served.stop()
    eventually(served.has_stopped, 30)
    eventually(lambda: slow.is_cut, 30)


def test_so_many_are_connected_and_no_more(served: Served, slow: Slow) -> None:
    with closing(Slow(served.address)) as second:
        eventually(second.has_begun.is_set, 30)
        assert served.ask() == "HTTP/1.0 503 Service Unavailable"
        assert not slow.is_cut
    eventually(lambda: served.ask() == "HTTP/1.0 200 OK", 30)
