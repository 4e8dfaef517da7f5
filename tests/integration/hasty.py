"""A listening server whose first worker is sent SIGTERM before it could say what to do with it.

python -m integration.hasty APP
"""

from __future__ import annotations

import os
import signal
import sys

from integration import listener


def main(app: str) -> int:
    waiting = [signal.SIGTERM]

    def in_child() -> None:
        for number in waiting:
            os.kill(os.getpid(), number)

    os.register_at_fork(after_in_child=in_child, after_in_parent=waiting.clear)
    return listener.main(app, "1", f"{app}.session.started")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
