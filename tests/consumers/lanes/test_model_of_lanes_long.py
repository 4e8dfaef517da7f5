"""As `test_model_of_lanes`, in many more runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings

from consumers.lanes.test_model_of_lanes import Step, Worlds, any_run, worlds

__all__ = ["worlds"]


@pytest.mark.parametrize("concurrency", [3, None])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@any_run
def test_each_event_is_handled_once_in_its_order(
    worlds: Worlds,
    concurrency: int | None,
    steps: Sequence[Step],
) -> None:
    worlds.hold(concurrency, steps)
