"""Traffic that looks like a site's, from a seed: an access log in combined format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path
from random import Random

_BEGIN = 1_750_000_000  # unix seconds at which the generated log begins
_AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Gecko/20100101 Firefox/121.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) Mobile/15E148 Safari/604.1",
    'curl/8.5 (\\"quoted\\", 100%)',
]
_PAGES = ["/", "/blog/", "/blog/?page=2", "/about", "/search?q=caf%C3%A9", "/docs/index.html", "/shop#offers"]
_NOISE = [
    ("GET", "/style.css", 200),
    ("GET", "/logo.PNG?v=3", 200),
    ("GET", "/gone", 404),
    ("POST", "/form", 200),
]


def write_log(path: Path, *, views: int, seed: int, visitors: int = 40) -> None:
    """Write a log with this many page views; visitors is how many people come and go."""
    with path.open("w", encoding="utf-8") as log:
        log.writelines(until(views, traffic(Random(seed), visitors)))


def until(views: int, lines: Iterable[tuple[str, bool]]) -> Iterator[str]:
    """The lines up to and with the last of so many views."""
    seen = 0
    for line, is_view in lines:
        if seen == views:
            return
        seen += is_view
        yield line


def traffic(random: Random, visitors: int) -> Iterator[tuple[str, bool]]:
    """Endless lines, nearly in the order of time, and whether each is a page view."""
    due = [(_BEGIN + random.expovariate(1 / 20), person) for person in range(visitors)]
    heapify(due)
    newcomers = count(visitors)
    while True:
        at, person = heappop(due)
        # A log is written when a request ends: some lines come late, and many share a second.
        logged = at - random.choice([0, 0, 0, 1, 2])
        yield _line(person, logged, "GET", random.choice(_PAGES), random.choice([200, 200, 200, 304])), True
        if random.random() < 0.4:
            yield _line(person, logged, *random.choice(_NOISE)), False
        heappush(due, _next(random, at, person, newcomers))


def _next(random: Random, at: float, person: int, newcomers: Iterator[int]) -> tuple[float, int]:
    """Who comes next, and when: the same person goes on, returns for another visit, or somebody new comes."""
    pause = random.expovariate(1 / 20)
    what = random.random()
    if what < 0.75:
        return at + pause, person
    if what < 0.78:
        return at + 1900 + pause, person
    return at + pause, next(newcomers)


def _line(person: int, at: float, method: str, path: str, status: int) -> str:
    # Two people share an address and differ in their agent.
    address = f"10.{person >> 17 & 255}.{person >> 9 & 255}.{person >> 1 & 255}"
    time = datetime.fromtimestamp(int(at), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{time}] "{method} {path} HTTP/1.1" {status} 1234 "-" "{_AGENTS[person % 4]}"\n'
