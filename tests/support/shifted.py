"""Runs a module in a process whose wall clock is wrong; its monotonic clock, by which it waits, is right.

python -m support.shifted SECONDS MODULE [ARGUMENT...]
"""

from __future__ import annotations

import runpy
import sys
import time

import time_machine

MODULE = "support.shifted"


def main(seconds: float, module: str) -> None:
    """Every clock of Python's is off from here on, in forked children too."""
    travel = time_machine.travel(time.time() + seconds, tick=True)
    travel.start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    shift, name, *arguments = sys.argv[1:]
    sys.argv[1:] = arguments
    main(float(shift), name)
