"""A process that announces at a pace: python pacing.py SETTINGS-AS-JSON COUNT A_SECOND.

Each event says when it was announced. Number 0 is the process's first one, which connects; the others come a while
after that has arrived, so that they are those of a process that has long been running.
"""

from __future__ import annotations

import json
import sys
import time

from signals import KEYS, Viewed

from oyez.producers import Announcer, Settings

PAUSE = 1.0  # s after the first event


def main(settings: str, count: str, a_second: str) -> None:
    announcer = Announcer.from_settings(Settings(**json.loads(settings)))
    announcer.announce(_event(0))
    announcer.flush(30.0)
    time.sleep(PAUSE)
    begun = time.monotonic()
    for number in range(1, int(count)):
        ahead = begun + number / float(a_second) - time.monotonic()
        if ahead > 0.001:
            time.sleep(ahead)
        announcer.announce(_event(number))
    announcer.close()


def _event(number: int) -> Viewed:
    return Viewed(session_id=f"session-{number % KEYS:06}", url=repr(time.monotonic()), n=number)


if __name__ == "__main__":
    main(*sys.argv[1:])
