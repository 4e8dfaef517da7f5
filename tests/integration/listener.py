"""`oyez listen` for the shop: python -m integration.listener APP WORKERS [GROUP...]"""

from __future__ import annotations

import logging
import signal
import sys

from integration.shop import shop
from oyez.consumers import ListenSettings
from oyez.consumers.run.listening import chosen, listen


def main(app: str, workers: str, *groups: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(message)s")
    application = shop(app)
    number = listen(application, ListenSettings(), chosen(application, groups), int(workers))
    return 0 if number == signal.SIGTERM else 128 + number


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
