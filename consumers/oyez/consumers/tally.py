"""What a worker has done since it started."""

from __future__ import annotations

from dataclasses import dataclass

from .writing import Report


@dataclass
class Tally:
    """Counts of shares."""

    done: int = 0
    parked: int = 0
    released: int = 0
    dead: int = 0

    def add(self, report: Report) -> None:
        self.done += report.done
        self.parked += report.waiting + report.behind + report.retried
        self.released += len(report.released)
        self.dead += report.dead

    def __str__(self) -> str:
        return f"{self.done} handled, {self.parked} parked, {self.released} released, {self.dead} dead"
