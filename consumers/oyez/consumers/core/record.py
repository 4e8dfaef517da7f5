"""A record of a log, as whatever reads one hands it over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Original(Protocol):
    """What an event arrived as: the bytes that are kept when it has to wait."""

    def value(self) -> bytes | None: ...
    def key(self) -> bytes | None: ...
    def headers(self) -> Sequence[tuple[str, bytes]] | None: ...


class Record(Original, Protocol):
    """One record of a log; a Kafka client's message is one as it is."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
