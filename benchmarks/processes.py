"""What processes cost: processor time of those that end, memory and idle processor time of those that go on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LIMIT = 180.0  # s


def processor_time(command: Sequence[str | Path], folder: Path) -> float:
    """Seconds of a processor that a command took, with all that it waited for. (The clock on the wall would measure
    what else the machine does.)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=clean(), check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall_time(command: Sequence[str | Path], folder: Path) -> float:
    """Seconds that a command took by the clock on the wall."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, env=clean(), check=True, capture_output=True)
    return time.perf_counter() - begun


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, workers: int, every: float, idle: float
) -> Iterator[list[int]]:
    """The ids of a command's process and of its workers', once these have started and done what they begin with: they
    are looked at every so many seconds, and have taken less than ``idle`` s of a processor in between."""
    with subprocess.Popen(command, cwd=folder, env=clean(), stderr=subprocess.DEVNULL) as process:
        try:
            yield _settled(process.pid, workers, every, idle)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)


def memory(pids: Sequence[int]) -> int:
    """Their proportional set size, in bytes."""
    sizes = (line.split()[1] for pid in pids for line in _rollup(pid) if line.startswith("Pss:"))
    return sum(map(int, sizes)) * 1024


def used(pids: Sequence[int]) -> float:
    """Seconds of a processor that they have taken so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def clean() -> dict[str, str]:
    """The environment without settings of Oyez's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}


def _settled(pid: int, workers: int, every: float, idle: float) -> list[int]:
    over = time.monotonic() + LIMIT
    before = 0.0
    while time.monotonic() < over:
        time.sleep(every)
        found = _family(pid)
        now = used(found)
        if len(found) > workers and now - before < idle:
            return found
        before = now
    raise TimeoutError(f"{workers} workers were not there, or not idle, after {LIMIT:.0f} s")


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _rollup(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
