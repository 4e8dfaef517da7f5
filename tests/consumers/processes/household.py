"""A supervisor of workers that do what files say: python -m consumers.processes.household FOLDER PROCESSES NAME...

Each says that it has begun, with its process. FOLDER/NAME.do tells one of them to kill, exit, fail, move, work or stay;
it is told once. One whose name begins with "beside" stands aside.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from oyez.consumers.processes.load import Limits
from oyez.consumers.processes.spec import Place, ProcessSpec
from oyez.consumers.processes.supervisor import Supervisor

SOON = Limits(share=0.03, least=0.02, window=0.5, settling=0.5)
"""What one gets that works on a machine where others work as well; those that wait take less."""


def main(folder: str, processes: str, *names: str) -> int:
    specs = [ProcessSpec(name, name, partial(live, Path(folder), name)) for name in names]
    aside = [spec for spec in specs if spec.name.startswith("beside")]
    working = [spec for spec in specs if spec not in aside]
    return Supervisor(working, processes=int(processes), aside=aside, limits=SOON).run()


def live(folder: Path, name: str, place: Place) -> None:
    say("begun", name)
    while not place.stopped():
        told = folder / f"{name}.do"
        if told.exists():
            what = told.read_text()
            told.unlink()
            obey(what, place)
        time.sleep(0.05)
    say("ended", name)


def say(what: str, name: str) -> None:
    os.write(1, f"{what} {name} {os.getpid()}\n".encode())


def obey(what: str, place: Place) -> None:
    match what:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(0)
        case "fail":
            raise ValueError("as asked")
        case "work":
            while not place.stopped():
                pass
        case "stay":
            say("stays", "whatever it is told")
            while True:
                time.sleep(0.05)
        case "move":
            place.process.require_own("as asked")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
