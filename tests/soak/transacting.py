"""Writes a row and announces it in one transaction, again and again, until it is killed; notes what is committed.

python -m soak.transacting NOTES NAME
"""

from __future__ import annotations

import os
import sys
from itertools import count

from sqlalchemy import create_engine, insert

from integration.rows.scripted_app import Placed, effects
from oyez.producers import Announcer, Settings


def main(notes: str, name: str) -> None:
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    announcer = Announcer.from_settings()
    engine = create_engine(Settings().database)
    for n in count():
        with engine.begin() as db:
            if n % 2:
                announcer.announce(Placed(k=name, n=n), db=db)
            db.execute(insert(effects).values(handler="row", k=name, n=n))
            if not n % 2:
                announcer.announce(Placed(k=name, n=n), db=db)
        os.write(file, f"{n}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
