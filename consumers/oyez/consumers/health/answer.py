"""`oyez healthy`, before anything else is imported: a probe every few seconds is to cost next to nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from .folder import folders, place, why_not
from .judging import Problem, problems_in

LIVE = "--live"
HEALTHY, UNHEALTHY = 0, 1


def answer(arguments: Sequence[str]) -> int | None:
    """The exit code, after what is wrong was printed; None if these arguments are for the whole command line."""
    if any(one != LIVE for one in arguments):
        return None
    return say(found(is_live=LIVE in arguments))


def found(*, is_live: bool, where: str | None = None) -> list[str]:
    """What is wrong with this user's processes. ``is_live``: only what a restart may help; ``where`` is the folder of
    heartbeats, unless it is where the environment and oyez.toml say."""
    path = place(os.environ) if where is None else where
    why = why_not(path)
    if why and os.path.lexists(path):
        return [f"the heartbeats in {path} are not believed: {why}"]
    running = [folder for folder, alive in folders(path) if alive]
    if not running:
        return [f"nothing of Oyez runs here: there is no heartbeat in {path}"]
    now = time.monotonic()
    several = len(running) > 1
    return [
        _named(folder, problem) if several else str(problem)
        for folder in running
        for problem in problems_in(folder, now)
        if problem.is_stuck or not is_live
    ]


def _named(folder: str, problem: Problem) -> str:
    return f"process {os.path.basename(folder).partition('-')[0]}: {problem}"  # noqa: PTH119


def say(lines: Sequence[str]) -> int:
    """Print what is wrong, a line each; returns the exit code."""
    code = UNHEALTHY if lines else HEALTHY
    if sys.stdout is None:  # it is closed
        return code
    text = "".join(f"{' '.join(line.split())}\n" for line in lines or ("healthy",))
    try:
        os.write(1, text.encode(sys.stdout.encoding, "backslashreplace"))
    except BrokenPipeError:  # its reader has gone
        return UNHEALTHY
    except OSError as error:
        if sys.stderr is not None:
            with suppress(OSError):
                os.write(2, f"oyez: stdout cannot be written: {error.strerror}\n".encode())
        return UNHEALTHY
    return code
