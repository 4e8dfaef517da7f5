"""Visitors who ask a server that is killed and restarted, and what it has answered."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable

from oyez.consumers.dev.ports import answers
from support.waiting import eventually

PATIENCE = 30.0  # s for one answer


class Visitors:
    """So many at a time, each with a session of its own and one request after the other."""

    def __init__(self, port: int, name: str, requests: int, visitors: int = 4) -> None:
        self.answered: list[tuple[str, int]] = []
        """(session, number) of each request that was answered, so that what it announced must be handled."""
        self.unanswered = 0
        self._port = port
        each = range(requests // visitors)
        self._threads = [
            threading.Thread(target=self._visit, args=(f"{name}-{n}", each), daemon=True)
            for n in range(visitors)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def until(self, count: int) -> None:
        """Wait for so many answers, or the end."""
        eventually(lambda: len(self.answered) >= count or not self._are_there(), timeout=600.0)

    def finish(self) -> None:
        eventually(lambda: not self._are_there(), timeout=1_800.0)

    def _are_there(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _visit(self, session: str, numbers: range) -> None:
        for n in numbers:
            if self._asked(lambda n=n: ask(self._port, session, n)):
                self.answered.append((session, n))
            else:
                self.unanswered += 1
                eventually(lambda: answers(self._port), timeout=60.0)

    def _asked(self, ask: Callable[[], bool]) -> bool:
        """Whether it was answered. A request that was not is not made again: nobody knows what became of it."""
        try:
            return ask()
        except (OSError, http.client.HTTPException):
            return False


def ask(port: int, session: str, n: int) -> bool:
    """Whether a request is answered as it should be."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", f"/{n}", headers={"Cookie": f"sid={session}", "Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200
    finally:
        connection.close()
