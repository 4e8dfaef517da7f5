"""Many that wait for one subject, and a chain; ten thousand and a thousand deep in `make soak`."""

from __future__ import annotations

from integration.rows.conftest import Place
from soak.waiting import a_chain, many_for_one


def test_many_wait_for_one_subject(running_app: Place) -> None:
    figures = many_for_one(running_app(), 1_000, timeout=60)
    assert figures.holds, figures


def test_a_chain(running_app: Place) -> None:
    figures = a_chain(running_app(), 200, timeout=60)
    assert figures.holds, figures
