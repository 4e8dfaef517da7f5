"""The registry of maintenance tasks: what the workers of a group do in their sweeps, beside what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..database.clock import Clock
from ..handlers.application import Group
from ..instrumentation.emitter import Instrument
from ..mail.urgent import urgent_mail
from ..settings import ListenSettings
from ..upkeep.after_deploy import NotRequired, Unregistered
from ..upkeep.ask_for_parked import AskForParked
from ..upkeep.retention import retention
from ..upkeep.sampling import Counted, Sampling
from ..upkeep.stranded import Stranded
from ..upkeep.upkeep import MaintenanceTask


@dataclass(frozen=True)
class TaskContext:
    """For whom tasks are made: the workers of ``group``. ``clock`` is the shared one, ``log_retention`` is
    what the log does with what every group has read, if anything. ``counted``: what its worker has done."""

    group: Group
    settings: ListenSettings
    instrument: Instrument
    clock: Clock
    counted: Counted
    log_retention: MaintenanceTask | None = None


TaskMaker = Callable[[TaskContext], Iterable[MaintenanceTask]]
"""Makes tasks of one kind; none where the settings ask for none."""

TASKS: Sequence[TaskMaker] = (
    lambda at: urgent_mail(
        at.group.name, at.settings, at.instrument, at.clock, idle_limit=at.settings.idle_in_transaction
    ),
    lambda at: [AskForParked(at.group, at.clock)],
    lambda at: [NotRequired(at.group)],
    lambda at: [Unregistered(at.group)],
    lambda at: [Stranded(at.group)],
    lambda at: retention(
        at.group, at.clock, at.settings.inbox_days, at.settings.dead_days, at.settings.journal_days
    ),
    lambda at: [] if at.log_retention is None else [at.log_retention],
    lambda at: [Sampling(at.group, at.counted)],
)
"""In the order in which a sweep does them: what somebody waits for comes first. A new kind of task is a line here."""


def tasks_for(context: TaskContext, makers: Sequence[TaskMaker] = TASKS) -> list[MaintenanceTask]:
    """The tasks of a group's workers, in their order."""
    return [task for make in makers for task in make(context)]
