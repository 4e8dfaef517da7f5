"""A handler ends with what is no `Exception`, as asyncio does: that is its failure, and no worker dies of it."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed

ENDS = {3: "cancel", 5: "interrupt", 7: "exit"}


def test_it_is_that_handlers_failure(running_app: Place) -> None:
    scripted_app = running_app()
    listening = scripted_app.listen("rows.placed")
    scripted_app.announce(*(Placed(k=f"k{n}", n=n, asks=ENDS.get(n, "")) for n in range(20)))
    scripted_app.until_handled(range(20), "pack")
    scripted_app.until_handled([n for n in range(20) if n not in ENDS], "place")
    said = sorted(error.split("\n")[0] for error in scripted_app.rows("parked", "error"))
    assert said == ["CancelledError: as asked", "KeyboardInterrupt: ", "SystemExit: as asked"]
    assert scripted_app.size("dead") == 0
    assert listening.stop() == 0
    assert "ended with" not in listening.output()
    assert "Traceback" not in listening.output()
