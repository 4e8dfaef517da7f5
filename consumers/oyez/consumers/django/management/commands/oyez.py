"""`manage.py oyez …`: the commands of `oyez`, with Django's settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from oyez.producers import SettingsError
from oyez.producers.django.settings import WHERE, settings_said

from ....cli.program import run_within

DJANGOS = ("--settings", "--pythonpath")
"""What `manage.py` has heeded already, before a command's own arguments."""


class Command(BaseCommand):
    """It leaves the command line to `oyez`, which has a help of its own."""

    help = "Announce events, listen to them, and look after what waits: the commands of `oyez`."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run it as the command of this process."""
        sys.exit(_run(without_djangos(argv[2:])))

    def add_arguments(self, parser: CommandParser) -> None:
        """All are `oyez`'s."""
        parser.add_argument("arguments", nargs="*")

    def handle(self, *_: Any, arguments: Sequence[str] = (), **__: Any) -> None:
        """As ``call_command("oyez", "db", "check")``. CommandError: it has not ended well."""
        code = _run(arguments)
        if code != 0:
            raise CommandError(f"oyez {' '.join(arguments)} ended with {code}", returncode=code)


def without_djangos(arguments: Sequence[str]) -> list[str]:
    """The arguments without Django's own before them."""
    left = list(arguments)
    while left and left[0].partition("=")[0] in DJANGOS:
        del left[: 1 if "=" in left[0] else 2]
    return left


def _run(arguments: Sequence[str]) -> int:
    """Workers are forked: none may have a connection that this process has."""
    try:
        said = settings_said()
    except SettingsError as error:
        sys.stderr.write(f"oyez: {error}\n")
        return 2
    connections.close_all()
    return run_within("manage.py oyez", list(arguments), WHERE, said)
