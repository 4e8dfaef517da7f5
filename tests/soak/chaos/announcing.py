"""One server: announces its script at an even pace, and keeps the ledger of what `announce` returned for.

python -m soak.chaos.announcing LEDGER SEED EVENTS SECONDS DEATHS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from oyez.producers import Announcer, NotAnnounced, Settings
from oyez.schemas import Signal
from soak.chaos.script import script


def main(ledger: str, seed: str, events: str, seconds: str, deaths: str) -> int:
    """0 if everything was delivered in the end."""
    announcer = Announcer.from_settings()
    began, pause = time.monotonic(), float(seconds) / int(events)
    with Path(ledger).open("w", buffering=1) as lines:
        for line, event in script(Settings().source, int(seed), int(events), int(deaths)):
            time.sleep(max(0.0, began + line.n * pause - time.monotonic()))
            announce(announcer, event)
            lines.write("\t".join(map(str, line)) + "\n")
    announcer.close()
    return 1 if announcer.undelivered else 0


def announce(announcer: Announcer, event: Signal) -> None:
    """Until it is taken: its queue may be full while the broker is away."""
    while True:
        try:
            announcer.announce(event)
        except NotAnnounced:
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
