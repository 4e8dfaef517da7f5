"""What a kind of log is asked as a whole: whether it is there, who reads it, what it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Protocol

from oyez.schemas import OyezError

from ..core.counted import Unit
from ..database.engine import Database
from .inspection import Inspection
from .log import Log
from .offsets import Offsets
from .tail import Tail


class LogUnreachable(OyezError):
    """A log does not answer; the message says which one, where, and what to do."""


class Retention(Protocol):
    """Removes what every group has read. ``idle`` is how many seconds it rests after its end."""

    idle: float

    def step(self, database: Database, now: float) -> bool:
        """Do the next part; False when the end is reached. ``now`` is in seconds since the epoch."""


class LogBackend(Protocol):
    """A kind of log, as it is set. A new one is one class with these, registered under the name of the transport that
    writes it: see `lookup`. It is made without asking anything of the log."""

    @property
    def where(self) -> str:
        """The log in words, such as "Kafka at localhost:9092"."""

    @property
    def place(self) -> Mapping[str, str]:
        """The same for reports: one name, such as "kafka", and the address."""

    @property
    def unit(self) -> Unit:
        """What its offsets count."""

    @property
    def buffer(self) -> Path | None:
        """The folder of the spool whose events wait to be shipped into this log; None if none is set."""

    def check(self) -> None:
        """Raises `FolderMissing`, or another error of Oyez's, if something is not there that was named."""

    def probe(self) -> None:
        """Ask whether the log answers. Raises `LogUnreachable`, and `SettingsError` for settings it cannot use.

        The process may fork afterwards.
        """

    def join(self, group: str, topics: Sequence[str], database: Database, worker: int | None = None) -> Log:
        """A new member of a group, which stays one while its worker is busy. ``worker`` numbers the group's workers
        from 0; None is one that stays for one pass."""

    def join_alone(self, group: str, topics: Sequence[str], database: Database) -> Log | None:
        """A member for one sweep; None where a sweep leaves the log to workers: always, or while the group has some."""

    def offsets(self, database: Database) -> Offsets:
        """What the log has, and what groups committed in it."""

    def tail(self, topics: Collection[str]) -> Tail:
        """A reader of these topics beside all groups."""

    def inspection(self) -> Inspection:
        """What it says of itself."""

    def retention(self, readers: Mapping[str, AbstractSet[str]]) -> Retention | None:
        """What removes what every group has read; None if nothing is to be. ``readers`` are the names of the groups
        that read a topic, by topic."""
