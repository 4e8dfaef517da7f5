"""What is said after a sweep: the database was reached, and may be asked what only a metric needs."""

from __future__ import annotations

from functools import partial

from ..database.leaving import leaving
from ..execution.execution import Execution
from ..instrumentation.events import Swept
from ..retry.retrying import Retrying


def swept(group: str, retrying: Retrying, execution: Execution) -> Swept:
    """The event, with its questions."""
    return Swept(group, retrying.oldest_wait, partial(leaving, execution.database, execution.clock))
