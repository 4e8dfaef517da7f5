"""Running a part of the benchmarks with few events."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(
    part: str, kafka: str, postgres: str, *before: str, limit: float = 150.0, options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """One part, after these lines of Python; ``limit`` in seconds."""
    lines = "; ".join([*before, "import run, sys", "sys.exit(run.main())"])
    return subprocess.run(
        [sys.executable, "-c", lines, part, "--events", "300", "--turns", "1", *options],
        env={
            **os.environ,
            "PYTHONPATH": str(BENCHMARKS),
            "OYEZ_TEST_KAFKA": kafka,
            "OYEZ_TEST_POSTGRES": postgres,
            "OYEZ_BENCH_BEFORE": sys.prefix,  # itself: the build before takes minutes to make
        },
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
