"""One handler of several fails: that one alone waits and runs again."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed
from support.waiting import eventually


def test_that_one_alone_waits_and_runs_again_and_its_key_in_order(running_app: Place) -> None:
    scripted_app = running_app(sweep_every=0.5)
    listening = scripted_app.listen("rows.placed")
    ids = scripted_app.announce(
        *(Placed(k=f"k{n % 4}", n=n, asks="fail" if n == 5 else "") for n in range(20)),
    )
    scripted_app.until_handled(range(20), "pack")
    others = [n for n in range(20) if n < 5 or n % 4 != 1]
    scripted_app.until_handled(others, "place")
    assert len(scripted_app.rows("parked", "id")) == 4, "the one that fails, and three behind it"
    (explained,) = scripted_app.json("explain", ids[5])
    states = {part["handler"]: part["state"] for part in explained["parts"]}
    assert states == {"place": "due", "pack": "done"}

    (scripted_app.folder / "repaired").touch()
    scripted_app.until_handled(range(20), "place")
    assert [n for n in scripted_app.effects("place") if n % 4 == 1] == [1, 5, 9, 13, 17]
    scripted_app.until_handled(range(20), "pack")
    eventually(lambda: scripted_app.rows("parked", "id") == [])
    assert listening.stop() == 0
