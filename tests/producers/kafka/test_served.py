"""A client that is waited for while other threads produce."""

from __future__ import annotations

from oyez.producers.kafka.served import Served


class BusyProducer:
    """Stands for a client that is empty each time it is flushed, and has something of another thread's in the next
    moment."""

    def __init__(self) -> None:
        self.flushed: list[float] = []

    def flush(self, timeout: float) -> int:
        self.flushed.append(timeout)
        return 0

    def __len__(self) -> int:
        return 1


def test_who_has_waited_for_all_that_there_was_has_waited() -> None:
    busy = BusyProducer()
    assert Served(busy).wait(0.1) == 0
    assert Served(busy).wait(10.0) == 0
    assert busy.flushed == [0.1, 0.1], "each at once"
