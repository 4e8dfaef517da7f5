"""Where the time of a benchmark goes, as samples say it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HOME = Path(__file__).parents[1]
MAIN, LANE = "thread (1): MainThread", "thread (2): oyez-lane"
RUN = "ours: exact (/home/benchmarks/profiling.py:38)"
READ = "Reader._decoded (/home/oyez/consumers/execution/reader.py:80)"
ADMIT = "admit (/home/oyez/consumers/database/inbox.py:44)"


@pytest.fixture(name="profiling")
def _profiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(HOME / "benchmarks"))
    import profiling

    yield profiling
    for name in ("profiling", "environments", "before"):
        sys.modules.pop(name, None)


def table(profiling: ModuleType, *stacks: str) -> list[list[str]]:
    return [line.split() for line in profiling.shares(stacks) if line]


def test_a_sample_is_counted_where_oyez_asked_for_it_and_by_who_does_it(profiling: ModuleType) -> None:
    found = table(
        profiling,
        f"{MAIN};{RUN};{READ};0x7f10 (?);0x7f11 (/home/pydantic_core/_pydantic_core.so) 6",
        f"{MAIN};{RUN};{ADMIT};execute (/x/site-packages/sqlalchemy/engine/base.py:1) 3",
        f"{MAIN};{RUN};{ADMIT};gc_collect_main (libpython3.11.so) 1",
    )
    assert found == [
        ["ours:", "exact", "(10", "samples)"],
        ["60.0%", "execution/reader", "pydantic"],
        ["30.0%", "database/inbox", "sqlalchemy"],
        ["10.0%", "database/inbox", "the", "garbage", "collector"],
    ]


def test_pythons_own_library_works_for_whoever_calls_it(profiling: ModuleType) -> None:
    found = table(profiling, f"{MAIN};{RUN};{ADMIT};dumps (/usr/lib/python3.11/json/__init__.py:231) 2")
    assert found[1:] == [["100.0%", "database/inbox", "Oyez"]]


def test_what_is_beside_the_rows_is_not_counted(profiling: ModuleType) -> None:
    assert table(profiling, f"{MAIN};fill (/home/benchmarks/bed.py:3);{ADMIT} 5") == []


def test_other_threads_are_told_apart(profiling: ModuleType) -> None:
    found = table(
        profiling, f"{LANE};{ADMIT} 5", f"{LANE};{ADMIT};wait (/usr/lib/python3.11/threading.py:3) 9"
    )
    assert found[0] == ["ours:", "in", "other", "threads,", "of", "all", "rows", "(5", "samples)"]


def test_a_label_is_a_name_in_the_stack(profiling: ModuleType) -> None:
    def names() -> list[str]:
        frame, found = sys._getframe(), []
        while frame.f_back is not None:
            frame = frame.f_back
            found.append(frame.f_code.co_name)
        return found

    assert "ours: a, b" in profiling.labelled("ours: a; b", names)()
