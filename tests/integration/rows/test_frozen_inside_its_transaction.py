"""A worker that is frozen inside its transaction, then continued."""

from __future__ import annotations

import signal

from integration.rows.conftest import Place
from integration.rows.till import Placed
from support.waiting import eventually

GROUP = "rows.placed"
BRIEF = {"budget": 1, "idle_in_transaction": 2}


def test_the_server_ends_its_transaction_a_successor_goes_on_and_on_waking_it_changes_nothing(
    stand: Place,
) -> None:
    till = stand()
    freezing = till.listen(GROUP, **BRIEF)
    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(10)))
    till.until_handled(range(10), "place", "pack")
    till.announce(*(Placed(k=f"k{n}", n=n, asks="wait" if n == 13 else "") for n in range(10, 20)))
    eventually((till.folder / "inside").exists, 60)
    (frozen,) = freezing.children()
    frozen.send_signal(signal.SIGSTOP)
    (till.folder / "go").touch()

    successor = till.listen(GROUP, **BRIEF)
    till.until_handled(range(20), "place", "pack", timeout=90)
    owners = set(till.rows("position", "owner"))
    assert str(frozen.pid) not in {owner.split("/")[1] for owner in owners}
    before = till.rows("position", "partition", "position", "epoch")

    frozen.send_signal(signal.SIGCONT)
    eventually(lambda: "moved by another" in freezing.output(), 60)
    till.announce(*(Placed(k=f"k{n}", n=n) for n in range(20, 40)))
    till.until_handled(range(40), "place", "pack", timeout=90)
    after = till.rows("position", "partition", "position", "epoch")
    assert all(now.epoch >= then.epoch for then, now in zip(before, after, strict=True))
    assert till.rows("dead", "id") == till.rows("parked", "id") == []
    assert "ended with" not in freezing.output() + successor.output()
    assert (freezing.stop(), successor.stop()) == (0, 0)
