"""The frontier of a partition: the offset below which everything is done, whatever is still under way beyond it."""

from __future__ import annotations

from collections import OrderedDict


class Flight:
    """One event that is under way: how many of its deliveries are ``left``, and whether it counts as handled.
    ``is_forgotten``: its partition is another worker's by now, and nobody asks what becomes of it."""

    __slots__ = ("is_counted", "is_forgotten", "left")

    def __init__(self, left: int, *, is_counted: bool = False) -> None:
        self.left = left
        self.is_counted = is_counted
        self.is_forgotten = False


class Frontier:
    """Of one partition, as one worker reads it. It belongs to one thread."""

    def __init__(self) -> None:
        self._flights: OrderedDict[int, Flight] = OrderedDict()
        self._passed = 0
        self._last = -1

    def __len__(self) -> int:
        """How many events are beyond the frontier, as far as they have been begun: those that are done behind one that
        is not are counted."""
        return len(self._flights)

    def begin(self, offset: int, flight: Flight) -> bool:
        """The event at this offset is under way; False if it was already.

        It may be read twice, where the log was read again from the frontier on. If the log has gone back before that,
        everything is to be handled again: what is under way is forgotten.
        """
        if offset in self._flights:
            return False
        if offset <= self._last:
            self.forget()
        self._flights[offset] = flight
        self._last = offset
        return True

    def has_passed(self, count: int) -> bool:
        """Whether the frontier has passed ``count`` events, or all that were begun, and there were any."""
        return self._passed >= count or (self._passed > 0 and not self._flights)

    def reached(self, read: int) -> int:
        """The frontier, where the log was read up to ``read``."""
        flights = self._flights
        while flights:
            offset = next(iter(flights))
            if flights[offset].left:
                return min(offset, read)
            del flights[offset]
            self._passed += 1
        return read

    def forget(self) -> None:
        """Nothing of it is under way any more."""
        for flight in self._flights.values():
            flight.is_forgotten = True
        self._flights.clear()
        self._passed = 0
