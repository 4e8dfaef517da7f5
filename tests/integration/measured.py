"""`oyez listen` for an application that parks, fails and gives up: python -m integration.measured APP WORKERS"""

from __future__ import annotations

import logging
import sys
import time

from sqlalchemy.orm import Session

from integration.shop import Started, Viewed, known
from oyez.consumers import Application, Handlers, ListenSettings, Reject
from oyez.consumers.run.listening import chosen, listen


def measured(app: str) -> Application:
    """A view whose number is negative is rejected; the thirteenth always fails, and takes too long in its lane."""
    on = Handlers(app)

    @on(Started)
    def start(event: Started, db: Session) -> None: ...

    @on(Viewed)
    def look(event: Viewed, db: Session) -> None:
        if event.n < 0:
            raise Reject("as told")
        if event.n == 13:
            raise ValueError("as told")

    @on(Viewed, group="lanes", requires={}, order="none", concurrency=2, timeout=0.1)
    def call(event: Viewed, db: Session) -> None:
        if event.n == 13:
            time.sleep(1)

    return Application(on, known)


def main(app: str, workers: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(process)d %(name)s %(message)s")
    application = measured(app)
    listen(application, ListenSettings(), chosen(application, ()), int(workers))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
