"""A worker that is frozen inside its transaction, then continued."""

from __future__ import annotations

import signal

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed
from support.waiting import eventually

GROUP = "rows.placed"
BRIEF = {"budget": 1, "idle_in_transaction": 2}


def test_the_server_ends_its_transaction_a_successor_goes_on_and_on_waking_it_changes_nothing(
    running_app: Place,
) -> None:
    scripted_app = running_app()
    freezing = scripted_app.listen(GROUP, **BRIEF)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(10)))
    scripted_app.until_handled(range(10), "place", "pack")
    scripted_app.announce(*(Placed(k=f"k{n}", n=n, asks="wait" if n == 13 else "") for n in range(10, 20)))
    eventually((scripted_app.folder / "inside").exists, 60)
    (frozen,) = freezing.children()
    frozen.send_signal(signal.SIGSTOP)
    (scripted_app.folder / "go").touch()

    successor = scripted_app.listen(GROUP, **BRIEF)
    scripted_app.until_handled(range(20), "place", "pack", timeout=90)
    owners = set(scripted_app.rows("position", "owner"))
    assert str(frozen.pid) not in {owner.split("/")[1] for owner in owners}
    before = scripted_app.rows("position", "partition", "position", "epoch")

    frozen.send_signal(signal.SIGCONT)
    eventually(lambda: "moved by another" in freezing.output(), 60)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n) for n in range(20, 40)))
    scripted_app.until_handled(range(40), "place", "pack", timeout=90)
    after = scripted_app.rows("position", "partition", "position", "epoch")
    assert all(now.epoch >= then.epoch for then, now in zip(before, after, strict=True))
    assert scripted_app.rows("dead", "id") == scripted_app.rows("parked", "id") == []
    assert "ended with" not in freezing.output() + successor.output()
    assert (freezing.stop(), successor.stop()) == (0, 0)
