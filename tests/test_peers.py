"""Other libraries are measured, and a profiler looks, in environments of their own."""

from __future__ import annotations

import re

import pytest

from support.benchmarks import run


@pytest.mark.timeout(600)
def test_other_libraries_are_measured(kafka: str, postgres_server: str) -> None:
    done = run("peers", kafka, postgres_server, limit=580.0)  # it makes their environment the first time
    assert done.returncode == 0, done.stderr
    for name in ("faststream", "quixstreams", "sentry-arroyo", "aiokafka"):
        assert re.search(rf"^.* {name} \d+\.\d+\.\d+ .*\(goal ", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.timeout(600)
def test_it_is_said_where_the_time_goes(kafka: str, postgres_server: str) -> None:
    done = run("exact", kafka, postgres_server, limit=580.0, options=["--events", "20000", "--profile"])
    assert done.returncode == 0, done.stderr
    for side in ("ours", "loop"):
        assert re.search(
            rf"^{side}: exactly-once, bulk handler, SQLite \(\d+ samples\)$", done.stdout, re.MULTILINE
        )
    assert re.search(r"^ +\d+\.\d% +execution/reader +pydantic$", done.stdout, re.MULTILINE), done.stdout
