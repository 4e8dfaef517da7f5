"""As `test_model` and `test_model_never_met`, in as many runs again: all in one test came near its limit."""

from __future__ import annotations

from consumers.execution import test_model, test_model_never_met
from consumers.execution.model_application import model_engine

__all__ = ["model_engine"]


@test_model.half
@test_model.any_run
def test_each_delivery_is_done_once_in_order_or_dead(
    model_engine, drafts, failing, rejected, steps, group, batch
):
    test_model.holds(model_engine, drafts, failing, rejected, steps, group, batch)


@test_model_never_met.half
@test_model_never_met.any_run
def test_what_was_given_up_as_never_met_is_done_when_it_is_met(model_engine, drafts, rejected, steps, group):
    test_model_never_met.holds(model_engine, drafts, rejected, steps, group)
