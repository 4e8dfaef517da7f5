"""Sending many: in runs, by several at once, to a server that refuses some, and by senders that die. `make soak` has
the same in full size."""

from __future__ import annotations

import pytest

from soak.mailing import senders_killed, sent_by_several, sent_in_runs, sent_to_a_moody_server


def test_exactly_as_many_runs_as_it_takes(pipeline_database: str) -> None:
    figures = sent_in_runs(pipeline_database, mails=200, limit=50)
    assert figures.holds, figures


def test_three_senders_at_once_send_nothing_twice(pipeline_database: str) -> None:
    figures = sent_by_several(pipeline_database, mails=300, limit=100, senders=3)
    assert figures.holds, figures


def test_one_bad_address_never_stops_the_rest(pipeline_database: str) -> None:
    figures = sent_to_a_moody_server(pipeline_database, mails=200, limit=50)
    assert figures.holds, figures


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_senders_are_killed(pipeline_database: str, policy: str) -> None:
    figures = senders_killed(pipeline_database, mails=100, kills=8, seed=4, policy=policy)
    assert figures.holds, figures
