"""The same event announced twice."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.till import Placed


def test_the_inbox_drops_the_second_in_the_same_batch_and_after_a_restart(stand: Place) -> None:
    till = stand(partitions=1)
    for _ in range(2):
        till.put(Placed(k="k", n=1), "the-same")
    listening = till.listen("rows.placed")
    till.until_handled([1], "place", "pack")
    till.put(Placed(k="k", n=1), "the-same")
    till.put(Placed(k="k", n=2), "another")
    till.until_handled([1, 2], "place", "pack")
    assert listening.stop() == 0
    again = till.listen("rows.placed")
    till.put(Placed(k="k", n=1), "the-same")
    till.put(Placed(k="k", n=3), "a-third")
    till.until_handled([1, 2, 3], "place", "pack")
    assert sorted(till.rows("inbox", "event_id")) == ["a-third", "another", "the-same"]
    assert again.stop() == 0
