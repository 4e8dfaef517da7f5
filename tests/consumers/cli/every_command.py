"""Runs commands with standard streams of several kinds, each in a fork of this process; prints what became of them.

python -m consumers.cli.every_command FOLDER COMMANDS      (JSON: lists of arguments)
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from consumers.cli.warm import leave
from oyez.consumers.cli import main
from oyez.consumers.cli.listing import COMMANDS, GROUPS
from oyez.consumers.database.dialects.lookup import dialect_named

Result = dict[str, Any]


def normal(_out: int, _err: int) -> None:
    """As they are."""


def closed(_out: int, _err: int) -> None:
    """As Python finds streams that are closed."""
    for number in range(3):
        os.close(number)
    sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]


def full_stdout(_out: int, _err: int) -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def full_stderr(_out: int, _err: int) -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)


def ascii_alone(_out: int, _err: int) -> None:
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="ascii", errors="strict")
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="ascii", errors="strict")


def no_reader(_out: int, _err: int) -> None:
    """As before `| head -1`, once that has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)


KINDS: Mapping[str, Callable[[int, int], None]] = {
    "normal": normal,
    "closed": closed,
    "no reader": no_reader,
    "full stdout": full_stdout,
    "full stderr": full_stderr,
    "ascii": ascii_alone,
}


LATER = (
    "_strptime",
    "alembic.command",
    "oyez.consumers.cli.common.arguments",
    "oyez.consumers.cli.loading",
    "oyez.consumers.cli.program",
    "oyez.consumers.database.dialects.postgresql",
    "oyez.consumers.database.dialects.sqlite",
    "oyez.consumers.logs.kafka.backend",
    "oyez.consumers.logs.spool.backend",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlite3",
    "typer._adapters",
    "typer.rich_utils",
)
"""What commands import as they run."""


def run(arguments: Sequence[str], kind: Callable[[int, int], None]) -> Result:
    """A command's exit code, and what it printed, if that could be seen."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(arguments, kind, out.fileno(), err.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"code": code, "out": _all(out), "err": _all(err)}


def _become(arguments: Sequence[str], kind: Callable[[int, int], None], out: int, err: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "w" if n else "r", closefd=False) for n in range(3))
    kind(out, err)
    sys.argv = ["oyez", *arguments]
    code = 0
    try:
        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    leave(code)  # as at the end of an interpreter


def _all(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def load() -> None:
    """What the commands import, before they are forked: not once for each of them."""
    listed = [*COMMANDS.values(), *(one for group in GROUPS for one in group.commands.values())]
    for module in {one.function.partition(":")[0] for one in listed}:
        import_module(f"oyez.consumers.cli.commands.{module}")
    for module in LATER:
        import_module(module)
    for database in ("sqlite", "postgresql"):
        dialect_named(database)  # what is installed is looked through once


if __name__ == "__main__":
    load()
    os.chdir(sys.argv[1])
    os.environ["OYEZ_HEALTH"] = str(Path(sys.argv[1], "health"))  # others run in this user's usual place
    commands = json.loads(sys.argv[2])
    print(json.dumps([{name: run(one, kind) for name, kind in KINDS.items()} for one in commands]))
