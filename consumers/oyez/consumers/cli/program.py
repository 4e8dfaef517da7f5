"""The command `oyez`: its groups of commands, and what is the same for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import UnsupportedOperation
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from .common import logging, streams
from .common.arguments import check_arguments
from .common.options import App, Database, Kafka, LogFormat, Quiet, Topic, Transport, Verbose, given
from .common.places import PROGRAM
from .common.stopping import as_usual
from .examples import FIRST, as_epilog
from .listing import COMMANDS, GROUPS
from .loading import commands_of, group_of
from .panels import in_order


class Around(NamedTuple):
    """Settings that a program has said, and where."""

    where: str
    said: Mapping[str, Any]


class Commands(TyperGroup):
    """Ends every command in the same way: an exit code, and one line for whatever went wrong."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands.update(commands_of(COMMANDS))
        self.commands.update({group.name: group_of(group) for group in GROUPS})

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which the help lists them."""
        return in_order(super().list_commands(ctx))

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        code = self._run(*args, **extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(self, *args: Any, **extra: Any) -> int:
        arguments = list(extra.get("args") or (args[0] if args else None) or sys.argv[1:])
        try:
            extra["standalone_mode"] = False
            code = super().main(*args, **extra)
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 # the last place that can say something about it
            from .common.reporting import (  # noqa: PLC0415 # it knows all errors
                NAME,
                report,
                report_lost,
                wants_traceback,
            )

            lost = streams.flushed()
            if lost is not None and isinstance(error, OSError):
                return report_lost(lost)
            if type(error).__name__ == "NoArgsIsHelpError":
                return _show_help(error)
            program = extra.get("prog_name") or NAME
            return report(error, debug=wants_traceback(asked="--debug" in arguments), program=program)
        lost = streams.flushed()
        if lost is not None:
            from .common.reporting import report_lost  # noqa: PLC0415 # as above

            return report_lost(lost)
        return code if isinstance(code, int) else 0


def _show_help(error: Any) -> int:
    error.show()
    return int(error.exit_code)


app = typer.Typer(
    name="oyez",
    cls=Commands,
    epilog=as_epilog(FIRST),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 # for this alone

        typer.echo(f"oyez {version('oyez')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    application: App = None,
    kafka: Kafka = None,
    database: Database = None,
    topic: Topic = None,
    transport: Transport = None,
    log_format: LogFormat = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print a traceback of whatever fails. [OYEZ_DEBUG=1]")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda asked: _version(asked=asked),
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Announce events, listen to them, and look after what waits.

    Settings come from flags, then from OYEZ_… in the environment, then from oyez.toml, then from the defaults.
    """
    check_arguments(context)
    logging.configure(log_format or os.environ.get("OYEZ_LOG_FORMAT"), verbose=verbose, quiet=quiet)
    _require_folder()
    said = {"app": application, "kafka": kafka, "database": database, "topic": topic, "transport": transport}
    if context.obj is not None:
        context.meta[PROGRAM] = context.obj.where
    context.obj = {**_of_program(context.obj), **given(**said, log_format=log_format)}


def _of_program(around: Around | None) -> dict[str, Any]:
    """The settings of a program that `oyez` is a command of. SettingsError: it has one that is none."""
    if around is None:
        return {}
    from oyez.producers.settings_given import own_of  # noqa: PLC0415 # pydantic is for commands that are run
    from oyez.producers.settings_names import refuse_unknown  # noqa: PLC0415 # as above

    from ..settings import ListenSettings  # noqa: PLC0415 # as above

    refuse_unknown(around.where, around.said, ListenSettings)
    return own_of(around.said, ListenSettings)


def _require_folder() -> None:
    """Settings, the application and the usual places of files are looked for in it."""
    try:
        Path.cwd()
    except OSError as error:
        from .common.errors import UsageProblem  # noqa: PLC0415 # errors are declared with the schemas

        raise UsageProblem(f"the working directory is gone, or may not be used: {error.strerror}") from None


def main() -> None:
    """Run `oyez`."""
    _prepare()
    if os.environ.get("_OYEZ_COMPLETE") == "complete_bash":
        from .common.bash_words import rejoin  # noqa: PLC0415 # for this alone

        rejoin(os.environ)
    app(prog_name="oyez")


def run_within(name: str, arguments: Sequence[str], where: str, said: Mapping[str, Any]) -> int:
    """Run `oyez` as the command `name` of another program, which has `said` settings `where`; its exit code. Flags win
    over them, and they over the environment."""
    with suppress(UnsupportedOperation):  # a test of that program has streams of its own
        _prepare()
    code: int = app(list(arguments), prog_name=name, obj=Around(where, said), standalone_mode=False)
    return code


def _prepare() -> None:
    as_usual()
    streams.prepare()
