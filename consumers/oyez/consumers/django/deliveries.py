"""What the admin pages do to deliveries: what `oyez retry` and `oyez dead` do."""

from __future__ import annotations

from collections.abc import Sequence

from ..admin import Steps, Tally
from ..database import Database
from ..database.delivery_filter import Filter
from ..run.delivery_actions import DISCARD_DEAD, DISCARD_PARKED, RELEASE, RETRY, Action, Chosen
from ..run.engines import engine_from
from ..run.loading import load_application
from .upgrading import listening_settings

__all__ = ["DISCARD_DEAD", "DISCARD_PARKED", "RELEASE", "RETRY", "apply"]


def apply(action: Action, ids: Sequence[int]) -> Tally:
    """Do it to the deliveries with these ids, as far as they are the application's; what was done. Raises what its
    command does."""
    settings = listening_settings()
    application = load_application(settings)
    engine = engine_from(settings)
    try:
        wanted = Filter(app=application.name)
        chosen = Chosen(application, settings, engine, Steps(Database(engine)), wanted, ids)
        return action.work(chosen, lambda _count: None)
    finally:
        engine.dispose()
