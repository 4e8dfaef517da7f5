"""`oyez` in forks of one process that has imported what its commands need: each is there in a tenth of the time.

What an interpreter does as it starts is not seen so: see `Shop.run`.

python -m consumers.cli.warm        (answers `Warm`: for each request the id of a fork, and how it has ended)
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import IO, Any, NoReturn

from oyez.consumers.cli import main

TESTS = Path(__file__).parents[2]
LIMIT = 120.0  # s


class Warm:
    """The process that is forked; it ends with the one that has started it."""

    def __init__(self) -> None:
        paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "consumers.cli.warm"],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked, self._answers = self._process.stdin, self._process.stdout

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        given: bytes,
        before: str | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end. ``before`` names what its process calls first, as `module:function`."""
        with contextlib.ExitStack() as files:
            streams = [files.enter_context(tempfile.NamedTemporaryFile()) for _ in range(3)]
            streams[0].write(given)
            streams[0].flush()
            names = [stream.name for stream in streams]
            asked = [arguments, str(folder), dict(environment), names, before]
            self._asked.write(json.dumps(asked).encode() + b"\n")
            code = self._ended()
            return subprocess.CompletedProcess(arguments, code, streams[1].read(), streams[2].read())

    def _ended(self) -> int:
        child = int(self._answers.readline())
        try:
            assert select.select([self._answers], [], [], LIMIT)[0], f"it did not end within {LIMIT:g} s"
        except BaseException:  # the test's own time limit too
            os.kill(child, signal.SIGKILL)
            self._answers.readline()
            raise
        return int(self._answers.readline())


@cache
def warm() -> Warm:
    """The one of this process."""
    return Warm()


def become(
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    files: Sequence[str],
    before: str | None,
) -> int:
    """Be this command; its exit code."""
    for number, name in enumerate(files):
        os.dup2(os.open(name, os.O_WRONLY if number else os.O_RDONLY), number)
    streams: list[IO[Any]] = [os.fdopen(n, "w" if n else "r", closefd=False) for n in range(3)]
    sys.stdin, sys.stdout, sys.stderr = streams  # type: ignore[assignment]
    os.chdir(folder)
    if before is not None:
        resolve_name(before)()
    given = os.environ["PYTHONPATH"].split(os.pathsep)
    sys.path[:] = [
        *environment["PYTHONPATH"].split(os.pathsep),
        *(one for one in sys.path if one not in given),
    ]
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["oyez", *arguments]
    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 # as the interpreter does
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def end(code: int) -> None:
    """As an interpreter ends: threads, what is to be done at exit, what is left in streams."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    leave(code)


def leave(code: int) -> NoReturn:
    """What is left in streams is written, and what cannot be makes it 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = 120
    os._exit(code)


def serve() -> None:
    """Fork one for each request."""
    sys.path.pop(0)  # the folder in which this was started
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            end(become(*asked))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    from consumers.cli.every_command import load

    load()
    gc.collect()
    gc.freeze()
    serve()
