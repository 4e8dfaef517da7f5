"""A listening server whose handler waits, in its transaction: python -m integration.blocker APP FOLDER

It makes FOLDER/inside, and goes on when FOLDER/go is there.
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

from sqlalchemy import Connection, insert

from integration.shop import Ticked, known, ticks
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.run.listening import listen
from support.waiting import eventually


def main(app: str, folder: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(message)s")
    on = Handlers(app)

    @on(Ticked)
    def tick(event: Ticked, db: Connection) -> None:
        db.execute(insert(ticks).values(n=event.n))
        Path(folder, "inside").touch()
        eventually(Path(folder, "go").exists, 60)

    application = Application(on, known)
    number = listen(application, ListenSettings(), list(application.groups.values()), 1)
    return 0 if number == signal.SIGTERM else 128 + number


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
