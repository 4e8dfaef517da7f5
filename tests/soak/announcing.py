"""Announces into the spool until it is killed, and notes what announce() has returned for.

python -m soak.announcing NOTES NAME
"""

from __future__ import annotations

import os
import sys
from itertools import count

from integration.rows.scripted_app import Placed
from oyez.producers import Announcer


def main(notes: str, name: str) -> None:
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    announcer = Announcer.from_settings()
    for n in count():
        announcer.announce(Placed(k=name, n=n))
        os.write(file, f"{n}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
