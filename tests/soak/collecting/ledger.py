"""What clients were told of each event, and what became of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import httpx

TOLD = {"ok": "stored", "duplicate": "stored", "invalid": "invalid", "retry": "unknown"}


class Ledger:
    """By event: `stored`, `invalid`, or `unknown`, which is to be sent again, or was given up. It knows nothing of Oyez
    but what docs/collecting.md says of answers."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self.statuses: Counter[str] = Counter()
        self.odd: list[str] = []
        """Answers that are not as the docs say."""
        self._lock = threading.Lock()

    def count(self, what: str) -> int:
        with self._lock:
            return sum(one == what for one in self.told.values())

    def unanswered(self, ids: Collection[str]) -> None:
        """No answer has come, or one that says nothing of single events: nobody knows what became of them."""
        with self._lock:
            self.told |= dict.fromkeys(ids, "unknown")

    def no_answer(self, ids: Collection[str]) -> None:
        self.unanswered(ids)
        with self._lock:
            self.statuses["none"] += 1

    def answered(self, ids: Sequence[str], answer: httpx.Response) -> None:
        """Note an answer to a request with these events."""
        with self._lock:
            self.statuses[str(answer.status_code)] += 1
        if answer.headers.get("Content-Type") != "application/json":
            self._refused(answer)
            self.unanswered(ids)
            return
        results: list[dict[str, Any]] = answer.json()["results"]
        kinds = {one["result"] for one in results}
        status = 503 if "retry" in kinds else 422 if "invalid" in kinds else 202
        if [one["id"] for one in results] != list(ids) or status != answer.status_code:
            self._odd(answer)
        if status == 503 and not answer.headers.get("Retry-After"):
            self._odd(answer)
        with self._lock:
            self.told |= {one["id"]: TOLD[one["result"]] for one in results}

    def _refused(self, answer: httpx.Response) -> None:
        """One line, and when to come again."""
        one_line = answer.status_code >= 400 and answer.text.count("\n") == 1
        says_when = answer.status_code not in (429, 503) or answer.headers.get("Retry-After")
        if not (one_line and says_when):
            self._odd(answer)

    def _odd(self, answer: httpx.Response) -> None:
        with self._lock:
            self.odd.append(f"{answer.status_code}: {answer.text[:200]}")


def differences(told: Mapping[str, str], handled: Counter[str]) -> Mapping[str, int]:
    """How many events are not as their senders were told; all 0 if nothing is wrong."""
    return {
        "lost": sum(what == "stored" and name not in handled for name, what in told.items()),
        "doubled": sum(times > 1 for times in handled.values()),
        "invalid but handled": sum(told.get(name) == "invalid" for name in handled),
        "from nowhere": sum(name not in told for name in handled),
    }
