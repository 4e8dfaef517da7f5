"""`flask oyez …`: the commands of `oyez`, with the settings of a Flask application.

Flask imports it with each of its commands: so it imports nothing more before one of these is run.
"""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

PREFIX = "OYEZ_"
"""What the names of settings begin with in `app.config`."""


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Announce events, listen to them, and look after what waits.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
def oyez(arguments: tuple[str, ...]) -> None:
    """The commands of `oyez`, with the settings of app.config."""
    from .program import run_within  # noqa: PLC0415 # see above

    sys.exit(run_within("flask oyez", arguments, "app.config", current_app.config.get_namespace(PREFIX)))
