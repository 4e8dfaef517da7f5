"""Every benchmark runs, with few events; its figures are not looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"
PARTS = (
    "announce",
    "at-least-once",
    "skip",
    "exact",
    "disorder",
    "spool",
    "mail",
    "failures",
    "backlog",
    "starting",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_benchmark_runs(part: str, kafka: str, postgres_server: str) -> None:
    done = subprocess.run(
        [sys.executable, RUN, part, "--events", "300", "--turns", "1"],
        env={
            **os.environ,
            "OYEZ_TEST_KAFKA": kafka,
            "OYEZ_TEST_POSTGRES": postgres_server,
            "OYEZ_BENCH_BEFORE": sys.prefix,  # itself: the build before takes minutes to make
        },
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(goal ") >= 1, done.stdout
