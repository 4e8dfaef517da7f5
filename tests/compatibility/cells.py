"""What is tried: one part in one version at a time, all else as usual."""

from __future__ import annotations

from dataclasses import dataclass, field

KAFKA_OF_3_9 = "org.apache.kafka:kafka_2.13:3.9.1+org.slf4j:slf4j-simple:1.7.36"
"""Kafka 3 logs by the older interface of slf4j."""
NEWER_PROTOCOL = "kip-848"
"""Brokers offer the newer group protocol by themselves since 4.0."""


@dataclass(frozen=True)
class Cell:
    """One line of the table. Where a value is empty, it is what the project has anyway."""

    name: str
    part: str
    version: str
    jars: str = ""
    postgres: int = 0
    """The major version; its programs are looked for."""
    python: str = ""
    """An environment of its own with this Python, and the newest of every dependency that is allowed."""
    lowest: bool = False
    """The lowest of every dependency that is allowed."""
    overrides: tuple[str, ...] = field(default=())
    """Requirements that replace ours, also beyond what is allowed."""
    without: str = ""
    """Tests that are left out: pytest's `-k "not …"`."""
    may_fail: str = ""
    """Why it is tried though it may fail."""


CELLS = (
    Cell("kafka-3.9", "Kafka (broker)", "3.9.1", jars=KAFKA_OF_3_9, without=NEWER_PROTOCOL),
    Cell("kafka-4.2", "Kafka (broker)", "4.2.0"),
    *(Cell(f"postgres-{major}", "PostgreSQL", str(major), postgres=major) for major in range(14, 19)),
    *(
        Cell(f"python-{python}", "Python, newest dependencies", python, python=python)
        for python in ("3.11", "3.12", "3.13", "3.14")
    ),
    Cell("lowest", "lowest dependencies", "Python 3.11", python="3.11", lowest=True),
    Cell(
        "sqlalchemy-2.0",
        "SQLAlchemy",
        "2.0.43",
        python="3.11",
        overrides=("sqlalchemy==2.0.43",),
        may_fail="2.1 is asked for",
    ),
    Cell(
        "confluent-kafka-4.4",
        "confluent-kafka",
        "4.4, preview",
        python="3.13",
        overrides=("confluent-kafka>=4.4.0a0,<5",),
        may_fail="a preview",
    ),
)


def chosen(names: list[str]) -> tuple[Cell, ...]:
    """The cells of these names, all without one. ValueError names one that is none."""
    known = {cell.name: cell for cell in CELLS}
    for name in names:
        if name not in known:
            raise ValueError(f"{name} is none of {', '.join(known)}")
    return tuple(known[name] for name in names) or CELLS
