"""What the applications of these tests announce."""

from oyez.schemas import Signal, catalogue

EARLY = -1
"""The number of what is announced as the application is imported."""

known = catalogue


class Ticked(Signal, name="servers.ticked"):
    n: int
