"""A deploy that breaks every handler."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.till import Placed
from support.waiting import eventually
from visits.progress import last_parked

GROUP = "rows.placed"


def test_nothing_is_committed_and_with_the_fix_deployed_everything_is_handled(stand: Place) -> None:
    till = stand(partitions=1)
    till.announce(*(Placed(k=f"k{n % 90}", n=n) for n in range(200)))
    broken = till.listen(GROUP, env={"ROWS_BROKEN": "1"})
    eventually(lambda: "failed alike" in broken.output(), 60)
    (partition,) = till.status(GROUP)["partitions"]
    assert "no module named tax" in partition["trouble"]
    assert (partition["position"], partition["lag"]) == (0, 200)
    assert "no module named tax" in till.command("status").stdout
    assert broken.stop() == 0, broken.output()
    assert (till.effects("place"), till.rows("inbox", "event_id")) == ([], [])

    mended = till.listen(GROUP)
    till.until_handled(range(200), "place", "pack")
    with till.engine.connect() as db:
        assert last_parked(db) == 0, "nothing was ever parked"
    assert till.rows("dead", "id") == []
    (partition,) = till.status(GROUP)["partitions"]
    assert (partition["trouble"], partition["lag"]) == (None, 0)
    assert mended.stop() == 0
