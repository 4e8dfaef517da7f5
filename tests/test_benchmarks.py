"""Every benchmark runs, with few events; its figures are not looked at."""

from __future__ import annotations

import pytest

from support.benchmarks import run

PARTS = (
    "announce",
    "async",
    "at-least-once",
    "skip",
    "exact",
    "each",
    "collect",
    "disorder",
    "spool",
    "latency",
    "mail",
    "failures",
    "backlog",
    "lanes",
    "large",
    "starting",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_benchmark_runs(part: str, kafka: str, postgres_server: str) -> None:
    done = run(part, kafka, postgres_server)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(goal ") >= 1, done.stdout
