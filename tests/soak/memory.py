"""The memory of a worker, over many events of which many were parked and released."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import psutil
from confluent_kafka import Producer

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Opened, Ticked, Viewed
from oyez.schemas import Signal, catalogue
from oyez.schemas.encoding import Encoder
from soak.figures import Figures, judged
from support.processes import Program

TENTHS = 10
FLAT = 1.05  # times the most that it was in three tenths: by then every cache and pool has been used
WAITING = 10  # events for each subject
KEYS = 5_000


class Source:
    """Announces fast: the events' bytes, without waiting for each."""

    def __init__(self, scripted_app: RunningApp) -> None:
        self._producer = Producer({"bootstrap.servers": scripted_app.kafka, "linger.ms": 20})
        self._encode = Encoder("web-0", catalogue).encode
        self._topic = scripted_app.topic
        self._sent = 0

    def send(self, key: str, event: Signal, subject: str | None = None) -> None:
        self._sent += 1
        value = self._encode(event, id=f"{self._sent}", time="2026-01-01T00:00:00Z", key=key, subject=subject)
        while True:
            try:
                self._producer.produce(self._topic, value, key.encode())
                return
            except BufferError:
                self._producer.poll(0.1)

    def flush(self) -> None:
        assert self._producer.flush(120) == 0


def memory(
    scripted_app: RunningApp, *, events: int, parked: int, timeout: float, tell: Callable[[str], None]
) -> Figures:
    """Each tenth: a tenth of the events, of which a tenth of ``parked`` wait and are released."""
    listening = scripted_app.listen("rows.ticked", "rows.viewed", "rows.opened")
    source = Source(scripted_app)
    sizes: list[dict[str, float]] = []
    began = time.monotonic()
    for tenth in range(TENTHS):
        _tick(source, events // TENTHS, tenth)
        _wait_and_release(scripted_app, source, parked // TENTHS, tenth, timeout)
        done = (tenth + 1) * (events // TENTHS)
        scripted_app.until(lambda done=done: scripted_app.size("inbox", "rows.ticked") == done, timeout, 0.5)
        sizes.append(_sizes(listening))
        shown = ", ".join(f"{name} {size:.1f}" for name, size in sizes[-1].items())
        tell(f"memory: {tenth + 1} of {TENTHS} tenths, {time.monotonic() - began:.0f} s: MB {shown}")
    growth = max(grown([one[name] for one in sizes]) for name in sizes[0])
    left = scripted_app.left()
    values = {
        "events": events,
        "parked": parked,
        "MB": [round(sum(one.values()), 1) for one in sizes],
        "growth": round(growth, 3),
        "flat": growth <= FLAT,
        "left": left,
        "seconds": round(time.monotonic() - began, 1),
        "exit": listening.stop(),
    }
    return judged("memory", values, flat=True, left=0, exit=0)


def grown(sizes: Sequence[float]) -> float:
    """The last three tenths beside the first three. What a process gives back to the system, and takes again, is no
    growth: the most of each counts."""
    return max(sizes[-3:]) / max(sizes[:3])


def _tick(source: Source, count: int, tenth: int) -> None:
    for n in range(count):
        key = f"k{n % KEYS}"
        source.send(key, Ticked(k=key, n=tenth * count + n))
    source.flush()


def _wait_and_release(
    scripted_app: RunningApp, source: Source, count: int, tenth: int, timeout: float
) -> None:
    first = tenth * count
    for n in range(first, first + count):
        source.send(f"v{n}", Viewed(k=f"v{n}", s=f"s{n // WAITING}", n=n))
    source.flush()
    scripted_app.until(
        lambda: scripted_app.count("view") == first and scripted_app.size("parked") == count, timeout, 0.5
    )
    for subject in range(first // WAITING, (first + count + WAITING - 1) // WAITING):
        source.send(f"s{subject}", Opened(s=f"s{subject}"), f"s{subject}")
    source.flush()
    scripted_app.until(
        lambda: scripted_app.count("view") == first + count and not scripted_app.size("parked"), timeout, 0.5
    )


def _sizes(listening: Program) -> dict[str, float]:
    """MB of each worker, by its place among its supervisor's children."""
    workers = sorted(listening.children(), key=lambda child: child.pid)
    return {f"worker {n}": _resident(worker) for n, worker in enumerate(workers)}


def _resident(worker: psutil.Process) -> float:
    return float(worker.memory_info().rss) / 1e6
