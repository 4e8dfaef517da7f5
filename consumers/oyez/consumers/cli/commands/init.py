"""`oyez init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..common import output
from ..common.skeleton.writing import write


def init(
    name: Annotated[
        Path,
        typer.Argument(
            metavar="NAME", help="The folder, which is made; its last part is the application's name."
        ),
    ],
) -> None:
    """Write a small working application into an empty folder: a handler, a test, settings, a Makefile.

    It runs at once, on files and SQLite: `make try`. Its compose.yaml has a Kafka and a PostgreSQL.
    """
    folder = Path.cwd() if str(name) == "." else name
    for path in write(folder):
        output.line(str(path))
    where = "" if folder == Path.cwd() else f"cd {name} && "
    output.note(f"now: {where}make try")
