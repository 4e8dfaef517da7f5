"""Clients that post events, each batch until all of it is stored, or given up."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx

from soak.collecting.ledger import Ledger
from support.waiting import eventually

ORIGIN = "https://shop.example"
SITE, KEY = "shop", "a-secret"
SOURCE = "/erp"
BATCH = 50
WRONG = 0.02
"""The part of events that no collector takes."""
GIVEN_UP = 0.05
"""The part of batches that are not sent again if they fail the first time."""
PATIENCE = 20.0  # s for one answer
LONGEST = 1.0  # s before something is sent again, whatever `Retry-After` says: the run has an end


class Clients:
    """Pages and other systems in turn, one thread each; every one has its own collector."""

    def __init__(
        self, addresses: Sequence[str], events: int, seed: int, pause: float, clients: int = 8
    ) -> None:
        """`pause` is in seconds, between two batches of one client."""
        self.ledger = Ledger()
        self._pause = pause
        each = events // clients
        self._threads = [
            threading.Thread(
                target=self._post_all, args=(n, addresses[n % len(addresses)], each, seed), daemon=True
            )
            for n in range(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def until(self, count: int) -> None:
        """Wait until so many are stored, or the end."""
        eventually(
            lambda: self.ledger.count("stored") >= count or not self.are_there(), timeout=1_800.0, every=0.5
        )

    def are_there(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _post_all(self, number: int, address: str, events: int, seed: int) -> None:
        dice = random.Random(f"{seed} {number}")
        posts = _as_page if number // 2 % 2 else _as_sender  # two collectors in turn
        with httpx.Client(base_url=address, timeout=PATIENCE, verify=False) as client:
            for first in range(0, events, BATCH):
                numbers = range(first, min(first + BATCH, events))
                batch = {f"client-{number:04}-event-{n:08}": n for n in numbers}
                wrong = {name for name in batch if dice.random() < WRONG}
                self._until_stored(client, posts, batch, wrong, dice)
                time.sleep(self._pause)

    def _until_stored(
        self, client: httpx.Client, posts: Any, batch: dict[str, int], wrong: set[str], dice: random.Random
    ) -> None:
        left, gives_up = list(batch), dice.random() < GIVEN_UP
        while left:
            wait = self._posted(client, posts, {name: batch[name] for name in left}, wrong)
            left = [name for name in left if self.ledger.told[name] == "unknown"]
            if left and gives_up:
                return
            if left:
                time.sleep(min(wait, LONGEST))

    def _posted(self, client: httpx.Client, posts: Any, batch: dict[str, int], wrong: set[str]) -> float:
        """Seconds after which what is not stored may be sent again."""
        try:
            answer: httpx.Response = posts(client, batch, wrong)
        except httpx.HTTPError:
            self.ledger.no_answer(batch)
            return 0.2
        self.ledger.answered(list(batch), answer)
        return float(answer.headers.get("Retry-After", 0))


def _data(n: int, name: str, wrong: set[str]) -> dict[str, Any]:
    return {"n": "no number" if name in wrong else n, "more": "x" * 100}


def _as_page(client: httpx.Client, batch: dict[str, int], wrong: set[str]) -> httpx.Response:
    """Half of the visitors have consented, so that their events have a key."""
    events = [
        {"id": name, "signal": "soak.posted", "data": _data(n, name, wrong)} for name, n in batch.items()
    ]
    first = min(batch.values())
    body = {"events": events, "consent": first % 2 == 0, "session": f"session-of-{first // 100:010}"}
    headers = {"Origin": ORIGIN, "Content-Type": "text/plain"}
    return client.post(f"/collect?site={SITE}", content=json.dumps(body), headers=headers)


def _as_sender(client: httpx.Client, batch: dict[str, int], wrong: set[str]) -> httpx.Response:
    events = [
        {
            "specversion": "1.0",
            "id": name,
            "source": SOURCE,
            "type": "soak.posted",
            "data": _data(n, name, wrong),
        }
        for name, n in batch.items()
    ]
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/cloudevents-batch+json"}
    return client.post("/events", content=json.dumps(events), headers=headers)
