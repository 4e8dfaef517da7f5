"""The settings of listening processes: those of announcing ones, and more."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from oyez.producers.settings import PathOrNone

from .logs.settings import LogSettings
from .mail.settings import MailSettings


class ListenSettings(MailSettings, LogSettings):
    """What a listening application may set, beside what `Settings`, `MailSettings` and `LogSettings` have."""

    batch: int = Field(default=500, ge=1, le=10_000)
    """Events taken in one transaction, at most."""
    budget: float = Field(default=10.0, gt=0)
    """Seconds after which a batch that is not done is cut: what has not run is left for the next one."""
    idle_in_transaction: float = Field(default=60.0, gt=0)
    """Seconds that a transaction may stand idle before PostgreSQL ends it: for frozen workers, which would hold their
    locks, and so for a handler that does not touch the database for longer. More than ``budget``."""
    grace: float = Field(default=20.0, ge=0)
    """Seconds that a worker which is told to stop lets its lanes finish what they run; then it is cancelled."""
    in_flight: int = Field(default=1000, ge=1)
    """Events of a partition that an at-least-once group's lanes may have under way, or done behind one that is not."""
    sweep_every: float = Field(default=5.0, gt=0)
    """Seconds between two sweeps of a worker."""
    max_clock_skew: float = Field(default=300.0, gt=0)
    """Seconds by which this machine's clock may differ from the database's; nothing is begun beyond that."""
    first_offset: Literal["earliest", "latest"] = "earliest"
    """Where a new group begins to read."""
    tombstones: Literal["dead", "ignore"] = "dead"
    """What becomes of records without a value, as a compacted topic has them: dead letters, or nothing."""
    max_attempts: int = Field(default=25, ge=1)
    """Attempts after which a failing delivery becomes a dead letter."""
    max_age: float = Field(default=86_400.0, gt=0)
    """Seconds as the head of its key after which a waiting or failing delivery becomes a dead letter."""
    processes: Annotated[int, Field(ge=1)] | Literal["auto"] | None = None
    """Processes for the workers at first and at most; None: one for each worker, `auto`: one for each processor."""
    metrics: int | None = Field(default=None, ge=0, le=65_535)
    """The port of `/metrics`; 0 for one that is free."""
    metrics_host: str = "127.0.0.1"
    """The address at which `/metrics` is answered."""
    health: PathOrNone = None
    """The folder of heartbeats; by default one of this user's, for temporary files."""
    stuck_after: float = Field(default=120.0, ge=2)
    """Seconds without progress after which a process counts as stuck. More than ``budget``, and than the second between
    two heartbeats."""
    log_format: Literal["text", "json"] = "text"
    """How the commands log."""
    inbox_days: float = Field(default=14.0, gt=0)
    """Days for which a group knows which events it has taken: one that is announced again later is handled again."""
    dead_days: float | None = Field(default=None, gt=0)
    """Days after which dead letters are discarded; None: never."""
    journal: Annotated[float, Field(ge=0, le=1)] | Literal["off", "parked", "all"] = "off"
    """What became of which deliveries the journal keeps: of those that were `parked` or have died, of `all`, of none
    (`off`), or of a share of the keys from 0 to 1. What has expired it keeps always."""
    journal_days: float = Field(default=7.0, gt=0)
    """Days for which the journal keeps it."""
    sqlite_journal: Literal["wal", "delete", "truncate", "persist"] = "wal"
    """SQLite's journal mode. WAL is faster; see the notes on databases for its one rare risk."""

    event_files: str | None = None
    """The folder of event files; by default `events` beside the application's module, if it is there; empty: none."""
    event_files_strict: bool = False
    """Whether an application with broken event files does not start."""

    @field_validator("idle_in_transaction", "stuck_after")
    @classmethod
    def _above_budget(cls, value: float, info: ValidationInfo) -> float:
        budget = info.data.get("budget", 0.0)
        if value <= budget:
            raise ValueError(f"must be more than budget, which is {budget:g} s")
        return value

    @property
    def journal_share(self) -> float:
        """Of how many of the keys there is a journal of all that was done, from 0 to 1."""
        if isinstance(self.journal, str):
            return 1.0 if self.journal == "all" else 0.0
        return self.journal
