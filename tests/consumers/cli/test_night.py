"""What docs/night.md says to run at night runs, as it is written there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from consumers.cli.running import Shop

NIGHT = (Path(__file__).parents[3] / "docs" / "night.md").read_text()
COMMANDS = [one for one in re.findall(r"`oyez ([^`]+)`", NIGHT) if "…" not in one]
ASKS = {"healthy": 1}
"""Exit codes that are not 0 in a place where nothing runs."""
CHANGES = {"retry release", "dead retry --handler NAME"}
"""Off a terminal these are to be confirmed."""
FOLLOWS = {"tail"}
"""These go on until they are told to stop."""


@pytest.mark.parametrize("command", list(dict.fromkeys(COMMANDS)))
def test_a_command_of_the_night_runs(spooled_shop: Shop, command: str) -> None:
    spooled_shop.print("db", "upgrade")
    said = spooled_shop.print(
        "announce", "cli.page.viewed", "-d", json.dumps({"session_id": "s", "url": "/"})
    )
    event = said.splitlines()[-1]
    spooled_shop.print("listen", "--limit", "9")
    given = shlex.split(command.replace("EVENT", event).replace("NAME", "view").replace("KEY", "s"))
    given += ["--yes"] if command in CHANGES else ["--no-follow"] if command in FOLLOWS else []
    done = spooled_shop.run(*given, OYEZ_HEALTH=str(spooled_shop.folder / "health"))
    assert done.returncode == ASKS.get(command, 0), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
