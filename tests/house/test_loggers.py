"""Nobody but `oyez.producers.loggers` makes a logger: others would be disabled by an application's configuration."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_logger_is_had_from_one_place() -> None:
    made = [
        str(file.relative_to(ROOT))
        for root in ("schemas", "producers", "consumers")
        for file in (ROOT / root).rglob("*.py")
        if "getLogger(" in file.read_text()
    ]
    assert made == ["producers/oyez/producers/loggers.py"], "take logger_named(…) instead"
