"""`oyez dev`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from ...dev import serve
from ..common import output
from ..common.errors import UsageProblem
from ..common.options import Json
from ..common.stopping import end_on_sigterm


def dev(
    kafka_port: Annotated[
        int | None,
        typer.Option("--kafka-port", min=1, max=65_535, help="Kafka's port; a free one unless said."),
    ] = None,
    postgres_port: Annotated[
        int | None,
        typer.Option("--postgres-port", min=1, max=65_535, help="PostgreSQL's port; a free one unless said."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", file_okay=False, help="The folder in which their data is kept.")
    ] = None,
    no_kafka: Annotated[bool, typer.Option("--no-kafka", help="Run no Kafka.")] = False,
    no_postgres: Annotated[bool, typer.Option("--no-postgres", help="Run no PostgreSQL.")] = False,
    as_json: Json = False,
) -> None:
    """Run a real Kafka and a real PostgreSQL in the foreground, until SIGTERM or Ctrl-C.

    Prints the settings with which the other commands use them. Needs oyez\\[dev].
    """
    end_on_sigterm()
    if no_kafka and no_postgres:
        raise UsageProblem("--no-kafka and --no-postgres leave nothing to run")
    serve(
        kafka=not no_kafka,
        postgres=not no_postgres,
        data=data,
        kafka_port=kafka_port,
        postgres_port=postgres_port,
        say=_say_json if as_json else output.line,
        stop=threading.Event(),
    )


def _say_json(line: str) -> None:
    name, _, value = line.removeprefix("export ").partition("=")
    output.line(output.json_text({"name": name, "value": value}))
