"""What is asked of a group's coordinator outlives a broker that is away for longer than anybody waits."""

from __future__ import annotations

from pathlib import Path

from oyez.consumers.dev import Kafka
from support.processes import Program
from support.services import make_topic
from support.waiting import eventually

ALL = "said: committed members set"
NONE = "said:"


def test_a_process_that_asks_outlives_a_broker_that_is_away(tmp_path: Path) -> None:
    with Kafka() as broker:
        topic = make_topic(broker.bootstrap, "asked")
        program = Program(
            tmp_path / "log", "consumers.logs.asking_coordinator", broker.bootstrap, topic, env={}
        )
        try:

            def come(wanted: str, times: int, after: int) -> int:
                def lines() -> list[str]:
                    assert program.code() is None, f"it ended: {program.code()}\n{program.output()}"
                    return program.output().splitlines()

                eventually(lambda: lines()[after:].count(wanted) >= times, 60)
                return len(lines())

            seen = come(ALL, 3, 0)
            for _ in range(2):
                broker.kill()
                seen = come(NONE, 2, seen)
                broker.restart()
                seen = come(ALL, 3, seen)
        finally:
            program.end()
