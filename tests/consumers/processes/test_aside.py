"""What stands aside of the workers has little time to stop, and that comes on top of theirs."""

from __future__ import annotations

from pathlib import Path

from support.processes import Program
from support.waiting import eventually


def test_what_stands_aside_does_not_prolong_a_stop_by_much(tmp_path: Path) -> None:
    program = Program(
        tmp_path / "log", "consumers.processes.household", str(tmp_path), "1", "a", "beside", env={}
    )
    (tmp_path / "beside.do").write_text("stay")
    try:
        eventually(lambda: "stays" in program.output() and "begun a " in program.output(), 60)
        program.stop()
    finally:
        program.end()
    assert "beside did not stop within 3 s; killing it" in program.output()
    assert "ended a " in program.output()
