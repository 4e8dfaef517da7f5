"""A deploy that breaks every handler."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed
from support.waiting import eventually
from visits.progress import last_parked

GROUP = "rows.placed"


def test_nothing_is_committed_and_with_the_fix_deployed_everything_is_handled(running_app: Place) -> None:
    scripted_app = running_app(partitions=1)
    scripted_app.announce(*(Placed(k=f"k{n % 90}", n=n) for n in range(200)))
    broken = scripted_app.listen(GROUP, env={"ROWS_BROKEN": "1"})
    eventually(lambda: "failed alike" in broken.output(), 60)
    (partition,) = scripted_app.status(GROUP)["partitions"]
    assert "no module named tax" in partition["trouble"]
    assert (partition["position"], partition["lag"]) == (0, 200)
    assert "no module named tax" in scripted_app.command("status").stdout
    assert broken.stop() == 0, broken.output()
    assert (scripted_app.effects("place"), scripted_app.rows("inbox", "event_id")) == ([], [])

    repaired = scripted_app.listen(GROUP)
    scripted_app.until_handled(range(200), "place", "pack")
    with scripted_app.engine.connect() as db:
        assert last_parked(db) == 0, "nothing was ever parked"
    assert scripted_app.rows("dead", "id") == []
    (partition,) = scripted_app.status(GROUP)["partitions"]
    assert (partition["trouble"], partition["lag"]) == (None, 0)
    assert repaired.stop() == 0
