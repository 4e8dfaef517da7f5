"""What has ended since something failed that is not parked yet: enough to tell a deploy that breaks everything."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.outcomes import DONE, EXPIRED, PAUSED, Outcome
from ..execution.broken_deploy import LEAST
from ..execution.delivery import Result
from .by_key import Errand

SPARED = (EXPIRED, PAUSED)
PATIENCE = 1.0  # s; how long what has failed waits for others, to be parked together with them


class Window:
    """Gathers outcomes from the first failure on."""

    def __init__(self) -> None:
        self._ended: list[tuple[Errand, Outcome]] = []
        self._since = 0.0

    def add(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """This came of it."""
        if not self._ended:
            if outcome is DONE:
                return
            self._since = now
        self._ended.append((errand, outcome))

    def is_ripe(self, now: float, *, is_idle: bool) -> bool:
        """Whether what has failed is to be settled; ``is_idle``: whether nothing more is under way."""
        return bool(self._ended) and (is_idle or len(self._ended) >= LEAST or now - self._since >= PATIENCE)

    @property
    def failed(self) -> list[tuple[Errand, Outcome]]:
        """What is not done, of partitions that are still this worker's."""
        return [one for one in self._ended if one[1] is not DONE and not one[0].flight.is_forgotten]

    def take_failed(self) -> list[Errand]:
        """What is to be run again. What was not to be run at all stays."""
        failed = [errand for errand, outcome in self.failed if outcome not in SPARED]
        self._ended = [one for one in self._ended if one[1] in SPARED and not one[0].flight.is_forgotten]
        return failed

    def results(self) -> Sequence[Result]:
        """All of it, as if it were of one batch."""
        kept = [one for one in self._ended if not one[0].flight.is_forgotten]
        return [(errand.delivery._replace(at=at), outcome) for at, (errand, outcome) in enumerate(kept)]

    def clear(self) -> None:
        """It is settled, or to be run again."""
        self._ended.clear()
