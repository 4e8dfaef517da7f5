"""One cell: its services, its environment, the chosen tests, and what came of them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from compatibility.cells import Cell
from compatibility.environments import PLACE, NotInstalled, NotToBeHad, environment
from compatibility.services import services
from house.imports import HOME
from oyez.consumers.dev import ServiceError

TESTS = (
    "tests/integration/test_end_to_end.py",
    "tests/consumers/logs/test_contract.py",
    "tests/consumers/database/test_schema.py",
    "tests/consumers/database/test_putting.py",
    "tests/consumers/database/test_migrating.py",
)
"""Events on their way by real processes; what a log must do; what tables and statements must do."""
SECONDS = 600
BAD = ("failure", "error", "skipped")


@dataclass(frozen=True)
class Result:
    """What came of a cell. `reason`: why it was not run, or which test failed first."""

    cell: Cell
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    reason: str = ""

    @property
    def bad(self) -> bool:
        """Whether something that is promised does not hold."""
        return bool(self.failed) and not self.cell.may_fail


def tried(cell: Cell) -> Result:
    """Run the chosen tests in this cell. What cannot be had here is a result too."""
    began = time.monotonic()
    try:
        python = environment(cell)
        with services(cell) as addresses:
            return _tests(cell, python, addresses)
    except NotInstalled as problem:
        # What we allow must install; what we do not allow may not be there.
        return Result(
            cell, failed=int(not cell.overrides), seconds=time.monotonic() - began, reason=str(problem)
        )
    except (NotToBeHad, ServiceError) as problem:
        return Result(cell, seconds=time.monotonic() - began, reason=str(problem).splitlines()[0])


def _tests(cell: Cell, python: Path, addresses: Mapping[str, str]) -> Result:
    PLACE.mkdir(parents=True, exist_ok=True)
    report = PLACE / f"{cell.name}.xml"
    report.unlink(missing_ok=True)
    surroundings = {**os.environ, **addresses, "PYTHONPATH": str(HOME / "examples")}
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junit-xml={report}",
        *_left_out(cell),
        *TESTS,
    ]
    began = time.monotonic()
    with (PLACE / f"{cell.name}.log").open("w") as log:
        try:
            subprocess.run(
                command, cwd=HOME, env=surroundings, stdout=log, stderr=log, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Result(
                cell, failed=1, seconds=SECONDS, reason=f"not done after {SECONDS} s, see {log.name}"
            )
    seconds = time.monotonic() - began
    if not report.exists():
        return Result(cell, failed=1, seconds=seconds, reason=f"no test ran, see {log.name}")
    return counted(cell, report, seconds)


def _left_out(cell: Cell) -> list[str]:
    return ["-k", f"not {cell.without}"] if cell.without else []


def counted(cell: Cell, report: Path, seconds: float) -> Result:
    """What pytest's report says. A run without a test that passed has failed; so has a test that was skipped."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    bad = [case.get("name", "") for case in cases if any(child.tag in BAD for child in case)]
    failed = len(bad) or int(not cases)
    reason = bad[0] if bad else "" if cases else "no test"
    return Result(cell, len(cases) - len(bad), failed, seconds, reason)
