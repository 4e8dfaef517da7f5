"""Only a few modules look at the clock of their machine: what others decide is decided by the database's."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "consumers" / "oyez" / "consumers"
WALL = re.compile(r"\btime\.time(?:_ns)?\b|\butcnow\(")
ALLOWED = {
    "database/clock.py": "compares it with the database's",
    "database/dialects/sqlite.py": "all processes of a file are on its machine",
    "dev/folder.py": "the age of a folder of this machine",
    "mail/assembly.py": "dates mails",
    "cli/common/ages.py": "takes it out of a filter again",
    "cli/commands/doctor.py": "compares it with the database's, and with what is announced",
    "cli/commands/deliveries_filter.py": "ages become moments before there is a connection: see ages.py",
    "cli/commands/mail_filter.py": "the same",
    "cli/commands/spool.py": "files of this machine",
    "cli/commands/status_watch.py": "says when it looked, also while no database answers",
    "cli/commands/spool_cat.py": "files of this machine",
    "dashboard/app.py": "says how long ago something was",
    "dashboard/questions/doctor.py": "compares it with the database's, and with what is announced",
    "dashboard/questions/spool.py": "files of this machine",
    "run/status.py": "files of this machine",
    "cli/commands/tail.py": "what was announced when: by the announcers' clocks",
    "cli/commands/rewind.py": "what was announced when: by the announcers' clocks",
    "cli/commands/replay_from.py": "the same",
}


def test_who_looks_at_the_machines_clock() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if WALL.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)
