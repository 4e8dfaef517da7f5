"""Starting, and going on with nothing to do, beside the build before; processor time and memory of whole processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from before import COMMIT, HOME, environment
from processes import memory, processor_time, running, used

APPLICATION = """
from oyez.consumers import Handlers
from oyez.schemas import Signal

class Opened(Signal, name="opened", key="k"):
    k: str

on = Handlers("shop")

def register(number):
    @on(Opened, name=f"opened{{number}}", group=f"g{{number}}", completes=number == 0)
    def opened(event: Opened) -> None: ...

for number in range({groups}):
    register(number)
"""
COMMANDS = {
    "oyez --help": (["bin/oyez", "--help"], 1 / 3),
    "oyez status, spool and SQLite": (["bin/oyez", "status"], 1 / 2),
    "oyez announce, spool": (["bin/oyez", "announce", "opened", "--data", '{"k": "1"}'], 1 / 2),
    "import oyez.producers": (["bin/python", "-c", "import oyez.producers"], 1 / 3),
    "import oyez.consumers": (["bin/python", "-c", "import oyez.consumers"], 1 / 2),
    "from oyez.producers import Announcer": (
        ["bin/python", "-c", "from oyez.producers import Announcer"],
        1.0,
    ),
    "from oyez.consumers import Handlers": (["bin/python", "-c", "from oyez.consumers import Handlers"], 1.0),
}


class Listening(NamedTuple):
    """How many groups listen, for how long they are measured, and how often it is asked whether they are idle."""

    groups: int
    seconds: float
    looks: float


FULL = Listening(groups=20, seconds=20.0, looks=6.0)  # a sweep of each between two looks, and more
SMALL = Listening(groups=2, seconds=1.0, looks=0.5)


@dataclass
class Less:
    """One line of the table: what today's build takes, and the build before, in turns; less is better."""

    work: str
    unit: str
    goal: float
    taken: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "before": []})

    def turn(self, measure: Callable[[Path], float], now: Path, before: Path) -> None:
        """Both once; the order changes from turn to turn."""
        both = [("ours", now), ("before", before)]
        for name, where in both if len(self.taken["ours"]) % 2 else reversed(both):
            self.taken[name].append(measure(where))

    def saved(self) -> dict[str, object]:
        """What is kept of it."""
        ours, before = (median(self.taken[name]) for name in ("ours", "before"))
        each = sorted(a / b for a, b in zip(*self.taken.values(), strict=True))
        return {
            "work": self.work,
            "beside": f"the build {COMMIT}",
            "ours": f"{ours:.0f}{self.unit}",
            "theirs": f"{before:.0f}{self.unit}",
            "found": f"{ours / before:.2f}",
            "spread": f"{each[0]:.2f} to {each[-1]:.2f}",
            "goal": f"{self.goal:.2f} or less",
            "is_met": ours / before <= self.goal,
            "taken": self.taken,
        }

    def __str__(self) -> str:
        ours, before = (median(self.taken[name]) for name in ("ours", "before"))
        verdict = "" if ours / before <= self.goal else "  ABOVE"
        return (
            f"{self.work:<58} {f'the build {COMMIT}':<46} {ours:7.0f}{self.unit:<3} {before:6.0f}{self.unit:<3} "
            f"{ours / before:6.2f} (goal {self.goal:.2f} or less){verdict}"
        )


def rows(count: int, turns: int) -> Iterator[Less]:
    """Processes that end, and those of `oyez listen`: with 20 groups, or with 2 where few events are asked for."""
    now, before = HOME / ".venv", environment()
    with _shop(now, 1) as ours, _shop(before, 1) as theirs:  # neither knows the other's tables
        for work, (command, goal) in COMMANDS.items():
            row = Less(work, " ms", goal)
            for _ in range(turns):
                row.turn(_ended(command, {now: ours, before: theirs}), now, before)
            yield row
    yield from _listening(now, before, FULL if count >= 1_000 else SMALL)


def _ended(command: list[str], folders: Mapping[Path, Path]) -> Callable[[Path], float]:
    return lambda where: 1000 * processor_time([where / command[0], *command[1:]], folders[where])


def _listening(now: Path, before: Path, of: Listening) -> Iterator[Less]:
    """In a process each, and all in one, which the build before had not."""
    them = _measured(before, of, of.groups)
    for how, processes, goals in (
        ("", of.groups, (1.0, 1.0)),
        (" --processes 1", 1, (1 / 2, 1 / 4)),
    ):
        ours = _measured(now, of, processes, *how.split())
        size = Less(f"memory of oyez listen{how}, {of.groups} groups, spool and SQLite", " MB", goals[0])
        idle = Less(f"processor time of the same while idle, in {of.seconds:.0f} s", " ms", goals[1])
        for at, row in enumerate((size, idle)):
            row.turn(lambda where, at=at, ours=ours: (ours if where == now else them)[at], now, before)
            yield row


def _measured(where: Path, of: Listening, processes: int, *given: str) -> tuple[float, float]:
    """The megabytes and the milliseconds that `oyez listen` takes with nothing to do."""
    command = [where / "bin/oyez", "listen", *given]
    limit = 0.15 * of.groups  # s between two looks; who begins takes what there is
    with _shop(where, of.groups) as folder, running(command, folder, processes, of.looks, limit) as pids:
        begun = used(pids)
        time.sleep(of.seconds)
        return memory(pids) / 1e6, 1000 * (used(pids) - begun)


@contextmanager
def _shop(where: Path, groups: int) -> Iterator[Path]:
    """A folder with an application and its tables."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(APPLICATION.format(groups=groups))
        (folder / "oyez.toml").write_text('app = "shop:on"\n')
        processor_time([where / "bin/oyez", "db", "upgrade"], folder)
        yield folder
