"""Where the time of a row goes: the benchmark is run again under py-spy, and the samples of each side are counted by
what of Oyez they are in, and by the library that works for it there.

Only what uses a processor is counted, and only the process of the benchmark itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType
from typing import NamedTuple

from environments import environment

WANTED = Path(__file__).parent / "profiler" / "requirements.txt"
RATE = 100  # samples a second
SHOWN = 0.015  # of a side's time; less is summed up
MAIN = "MainThread"
SIDES = ("ours: ", "loop: ")
ELSEWHERE = "ours: in other threads, of all rows"
_WAITING = re.compile(r"/(?:threading|subprocess|selectors)\.py$")
_FRAME = re.compile(r"(?P<function>.*) \((?P<path>.*?)(?::\d+)?\)$")
_OURS = re.compile(r"/oyez/(?:consumers|producers|schemas)/(?P<module>.+)\.py$")
_LIBRARIES = (
    (re.compile(r"pydantic"), "pydantic"),
    (re.compile(r"sqlite|^(?:cursor|connection|statement|row)\.c"), "sqlite3"),
    (re.compile(r"psycopg|libpq"), "psycopg"),
    (re.compile(r"confluent_kafka|cimpl|librdkafka"), "confluent-kafka"),
    (re.compile(r"site-packages/(?P<name>\w+)"), ""),
    (re.compile(r"_(?:result|row|util|collections)_cy"), "sqlalchemy"),
    (_OURS, "Oyez"),
    (re.compile(r"/benchmarks/"), "the benchmark"),
)


class Frame(NamedTuple):
    """One of a sample: a function, and the file that it is in."""

    function: str
    path: str


def labelled(label: str, run: Callable[[], object]) -> Callable[[], object]:
    """The same with a name by which it is found in samples."""

    def call() -> object:
        return run()

    name = label.replace(";", ",")
    code = call.__code__.replace(co_name=name, co_qualname=name)
    return FunctionType(code, globals(), name, None, call.__closure__)


def profiled(script: Path, arguments: Sequence[str]) -> int:
    """Run a benchmark, and print where the time of each of its rows goes; returns its exit code."""
    spy = environment("profiler", WANTED) / "bin" / "py-spy"
    with TemporaryDirectory(prefix="oyez-profile-") as folder:
        samples = Path(folder) / "samples"
        record = [
            spy,
            "record",
            "--format",
            "raw",
            "--threads",
            "--native",
            "--full-filenames",
            "--rate",
            str(RATE),
        ]
        done = subprocess.run(
            [*record, "--output", samples, "--", sys.executable, script, *arguments], check=False
        )
        if samples.exists():
            print(*shares(samples.read_text().splitlines()), sep="\n")
    return done.returncode


def shares(lines: Iterable[str]) -> Iterator[str]:
    """What is printed for samples, each of which is a stack of frames and how often it was seen."""
    counted: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for line in lines:
        stack, _, number = line.rpartition(" ")
        thread, *rest = stack.split(";")
        frames = [Frame(*found.groups()) for one in rest if (found := _FRAME.match(one))]
        if (label := _label(thread, frames)) is not None and not _is_waiting(frames):
            counted[label][_step(frames), _library(frames)] += int(number)
    for label, found in sorted(counted.items(), key=lambda one: (one[0][len(SIDES[0]) :], one[0])):
        yield from _table(label, found)


def _label(thread: str, frames: Sequence[Frame]) -> str | None:
    """Of which side of which row it is; None if it is of neither."""
    found = next((one.function for one in frames if one.function.startswith(SIDES)), None)
    return ELSEWHERE if found is None and MAIN not in thread and _step(frames) else found


def _is_waiting(frames: Sequence[Frame]) -> bool:
    """Whether it waits for others, which takes no processor, whatever the profiler makes of it."""
    last = next((one.path for one in reversed(frames) if one.path.endswith(".py")), "")
    return _WAITING.search(last) is not None


def _table(label: str, found: Counter[tuple[str, str]]) -> Iterator[str]:
    total = found.total()
    yield f"\n{label} ({total} samples)"
    rest = 0
    for (step, library), number in found.most_common():
        if number < SHOWN * total:
            rest += number
            continue
        yield f"  {number / total:6.1%}  {step:<32} {library}"
    if rest:
        yield f"  {rest / total:6.1%}  others"


def _step(frames: Sequence[Frame]) -> str:
    """The module of Oyez that asked for what is done."""
    ours = (found["module"] for one in reversed(frames) if (found := _OURS.search(one.path)))
    return next(ours, "")


def _library(frames: Sequence[Frame]) -> str:
    """Who does it: Python's own library, and what has no name, do it for whoever calls them."""
    for one in reversed(frames):
        if one.function.startswith("gc_collect"):
            return "the garbage collector"
        for pattern, name in _LIBRARIES:
            if found := pattern.search(one.path):
                return name or found["name"]
    return "Python"
