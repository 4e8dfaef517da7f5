"""One handler of several fails: that one alone waits and runs again."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.till import Placed
from support.waiting import eventually


def test_that_one_alone_waits_and_runs_again_and_its_key_in_order(stand: Place) -> None:
    till = stand(sweep_every=0.5)
    listening = till.listen("rows.placed")
    ids = till.announce(
        *(Placed(k=f"k{n % 4}", n=n, asks="fail" if n == 5 else "") for n in range(20)),
    )
    till.until_handled(range(20), "pack")
    others = [n for n in range(20) if n < 5 or n % 4 != 1]
    till.until_handled(others, "place")
    assert len(till.rows("parked", "id")) == 4, "the one that fails, and three behind it"
    (explained,) = till.json("explain", ids[5])
    states = {part["handler"]: part["state"] for part in explained["parts"]}
    assert states == {"place": "due", "pack": "done"}

    (till.folder / "mended").touch()
    till.until_handled(range(20), "place")
    assert [n for n in till.effects("place") if n % 4 == 1] == [1, 5, 9, 13, 17]
    till.until_handled(range(20), "pack")
    eventually(lambda: till.rows("parked", "id") == [])
    assert listening.stop() == 0
