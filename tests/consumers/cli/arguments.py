"""What each command is given to do something, and what it asks: for the tests that walk over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from oyez.consumers.cli.listing import COMMANDS, GROUPS

NAMES = [*COMMANDS, *(f"{group.name} {name}" for group in GROUPS for name in group.commands)]
"""Every command that there is, also one that was listed a minute ago."""
ENDING = [
    name for name in NAMES if name != "dev"
]  # that one runs until it is told to end, whatever is in its way
SIGNALS = "signals.json"  # what `oyez signals --json-schema` has written


class Line(NamedTuple):
    """A command line. ``asks`` has of `database`, `log` (Kafka, if events go there), `folder` (of a
    spool) and `spool` (where there is one) what the command cannot do without."""

    arguments: str
    asks: str = ""


LINES: Mapping[str, Line] = {
    "init": Line("json"),  # a name that is taken: a folder would not be empty the next time
    "announce": Line('cli.page.viewed -d {"session_id":"sü","url":"/→"}', "log"),
    "listen": Line("--limit 9", "database log spool"),
    "collect": Line("--host 192.0.2.1"),  # nobody's: it would answer until it is told to stop
    "replay": Line("spool --dry-run", "folder spool"),
    "dashboard": Line("--host 192.0.2.1"),  # as `collect`
    "sweep": Line("", "database spool"),
    "status": Line("", "database log spool"),
    "rewind": Line("clishop.cli.ticked --to earliest --dry-run", "database log spool"),
    "pause": Line("", "database"),
    "resume": Line("--key sö", "database"),
    "explain": Line("e1", "database spool"),
    "timeline": Line("sü", "database"),
    "export": Line("sü", "database spool"),
    "forget": Line("sü --dry-run", "database spool"),
    "tail": Line("--no-follow --from-beginning", "log spool"),
    "met": Line("cli.session.started sö --dry-run", "database"),
    "handlers": Line(""),
    "doctor": Line("", "database log spool"),
    "healthy": Line(""),
    "retry list": Line("", "database"),
    "retry show": Line("e1", "database"),
    "retry release": Line("--dry-run", "database"),
    "retry discard": Line("--dry-run", "database"),
    "dead list": Line("", "database"),
    "dead groups": Line("", "database"),
    "dead show": Line("e1", "database"),
    "dead retry": Line("--dry-run", "database"),
    "dead discard": Line("--dry-run", "database"),
    "signals list": Line(""),
    "signals diff": Line(SIGNALS),
    "mail send": Line("", "database"),
    "mail status": Line("", "database"),
    "mail list": Line("", "database"),
    "mail show": Line("1", "database"),
    "mail hold": Line("--dry-run", "database"),
    "mail release": Line("--dry-run", "database"),
    "mail cancel": Line("--dry-run", "database"),
    "mail retry": Line("--dry-run", "database"),
    "mail purge": Line("--dry-run", "database"),
    "db upgrade": Line("", "database"),
    "db check": Line("", "database"),
    "outbox relay": Line("", "database"),
    "outbox retry": Line("", "database"),
    "outbox status": Line("", "database"),
    "scheduled list": Line("", "database"),
    "scheduled cancel": Line("--key sö --dry-run", "database"),
    "spool status": Line("", "folder spool"),
    "spool verify": Line("", "folder spool"),
    "spool cat": Line("", "folder spool"),
    "spool ship": Line("", "folder log"),  # Kafka is asked first
    "config show": Line(""),
    "group rename": Line("clishop.old clishop.new", "database"),
}


def line_of(name: str) -> list[str]:
    """A command line for it. KeyError: it has none yet."""
    return [*name.split(), *LINES[name].arguments.split()]


def asks(name: str, what: str) -> bool:
    """Whether it cannot do without this."""
    return what in LINES[name].asks.split()
