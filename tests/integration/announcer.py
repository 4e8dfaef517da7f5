"""One announcing server: python -m integration.announcer SERVER OF SESSIONS VIEWS RECORD

Every server announces views of every session; each session is started by one of them, every fifth of them
only after all its views.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from integration.shop import Started, Viewed, known
from oyez.producers import Announcer


def events(server: int, of: int, sessions: int, views: int) -> list[Started | Viewed]:
    """What a server announces, in order; the same each time."""
    rng = random.Random(server)
    own = range(server, sessions, of)
    late = [n for n in own if n % 5 == 0]
    rest = [Viewed(session_id=f"s{n}", n=view) for n in range(sessions) for view in range(views)]
    rest += [Started(session_id=f"s{n}") for n in own if n % 5]
    rng.shuffle(rest)
    return [*rest, *(Started(session_id=f"s{n}") for n in late)]


def main(server: str, of: str, sessions: str, views: str, record: str) -> None:
    source = f"web-{server}"
    lines = []
    with Announcer.from_settings(source=source, catalogue=known) as announcer:
        for event in events(int(server), int(of), int(sessions), int(views)):
            event_id = announcer.announce(event)
            lines.append(f"{type(event).__name__} {event.session_id} {source} {event_id}\n")
    Path(record).write_text("".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
