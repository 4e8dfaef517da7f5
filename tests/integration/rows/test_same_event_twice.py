"""The same event announced twice."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed


def test_the_inbox_drops_the_second_in_the_same_batch_and_after_a_restart(running_app: Place) -> None:
    scripted_app = running_app(partitions=1)
    for _ in range(2):
        scripted_app.put(Placed(k="k", n=1), "the-same")
    listening = scripted_app.listen("rows.placed")
    scripted_app.until_handled([1], "place", "pack")
    scripted_app.put(Placed(k="k", n=1), "the-same")
    scripted_app.put(Placed(k="k", n=2), "another")
    scripted_app.until_handled([1, 2], "place", "pack")
    assert listening.stop() == 0
    again = scripted_app.listen("rows.placed")
    scripted_app.put(Placed(k="k", n=1), "the-same")
    scripted_app.put(Placed(k="k", n=3), "a-third")
    scripted_app.until_handled([1, 2, 3], "place", "pack")
    assert sorted(scripted_app.rows("inbox", "event_id")) == ["a-third", "another", "the-same"]
    assert again.stop() == 0
