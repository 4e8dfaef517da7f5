"""The command `oyez`: its groups of commands, and what is the same for all of them."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .commands import (
    db,
    deliveries_admin,
    deliveries_list,
    deliveries_show,
    dev,
    mail_admin,
    mail_list,
    mail_send,
    outbox,
    spool,
    spool_cat,
)
from .commands.announce import announce
from .commands.explain import explains
from .commands.group_rename import rename
from .commands.handlers import handlers
from .commands.listen import listen
from .commands.met import met
from .commands.rewind import rewind
from .commands.signals import signals
from .commands.status import status
from .commands.sweep import sweep
from .common import logging
from .common.exits import report, wants_traceback
from .common.options import App, Database, Kafka, LogFormat, Quiet, Topic, Transport, Verbose, given


class Commands(TyperGroup):
    """Ends every command in the same way: an exit code, and one line for whatever went wrong."""

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
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read stdout has gone, such as `head`; nothing may be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 # the last place that can say something about it
            if type(error).__name__ == "NoArgsIsHelpError":
                return _show_help(error)
            return report(error, debug=wants_traceback(asked="--debug" in arguments))
        return code if isinstance(code, int) else 0


def _show_help(error: Any) -> int:
    error.show()
    return int(error.exit_code)


app = typer.Typer(
    name="oyez",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, asked: bool) -> None:
    if asked:
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
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks. [OYEZ_DEBUG=1]")] = False,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=lambda asked: _version(asked=asked), help="The version."
        ),
    ] = False,
) -> None:
    """Announce events, listen to them, and look after what waits.

    Settings come from flags, then from OYEZ_… in the environment, then from oyez.toml, then from the defaults.
    """
    logging.configure(log_format or os.environ.get("OYEZ_LOG_FORMAT"), verbose=verbose, quiet=quiet)
    said = {"app": application, "kafka": kafka, "database": database, "topic": topic, "transport": transport}
    context.obj = given(**said, log_format=log_format)


def _group(name: str, text: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help=text)
    app.add_typer(group, name=name)
    return group


app.command()(announce)
app.command()(listen)
app.command()(sweep)
app.command()(status)
app.command()(rewind)
app.command("explain")(explains)
app.command()(met)
app.command()(signals)
app.command()(handlers)
app.command()(dev.dev)

_retry = _group("retry", "What is parked in the retry table.")
_retry.command("list")(deliveries_list.retry_list)
_retry.command("show")(deliveries_show.retry_show)
_retry.command("release")(deliveries_admin.retry_release)
_retry.command("discard")(deliveries_admin.retry_discard)
_dead = _group("dead", "Dead letters: what was given up.")
_dead.command("list")(deliveries_list.dead_list)
_dead.command("groups")(deliveries_show.groups)
_dead.command("show")(deliveries_show.dead_show)
_dead.command("retry")(deliveries_admin.dead_retry)
_dead.command("discard")(deliveries_admin.dead_discard)
_mail = _group("mail", "The mail queue.")
_mail.command("send")(mail_send.mail_send)
_mail.command("status")(mail_list.mail_status_)
_mail.command("list")(mail_list.mail_list)
_mail.command("show")(mail_list.mail_show)
_mail.command("hold")(mail_admin.mail_hold)
_mail.command("release")(mail_admin.mail_release)
_mail.command("cancel")(mail_admin.mail_cancel)
_mail.command("retry")(mail_admin.mail_retry)
_mail.command("purge")(mail_admin.mail_purge)
_db = _group("db", "Oyez's tables in your database.")
_db.command("upgrade")(db.upgrade)
_db.command("check")(db.check)
_outbox = _group("outbox", "What was announced in database transactions, and has not left yet.")
_outbox.command("drain")(outbox.drain)
_outbox.command("retry")(outbox.retry)
_outbox.command("status")(outbox.status)
_spool = _group("spool", "The spool: what is kept in local files.")
_spool.command("status")(spool.status)
_spool.command("verify")(spool.verify_all)
_spool.command("cat")(spool_cat.cat)
_spool.command("drain")(spool.drain)
_groups = _group("group", "Consumer groups.")
_groups.command("rename")(rename)


def main() -> None:
    """Run `oyez`."""
    app(prog_name="oyez")
