"""The page of commands, made of what the command line is: each command with its arguments and options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

from docs_site.table import table
from oyez.consumers.cli.listing import GROUPS
from oyez.consumers.cli.program import app

HEAD = """# Commands, option by option

Every command, as its own `--help` says it. This page is made when the site is built.
[Commands and settings](../commands.md) says what is the same for all of them, such as exit codes.

"""


def commands_page() -> str:
    """The page: the options before any command, then the commands in the order of the help."""
    program: Any = typer.main.get_command(app)
    context = typer.Context(program, info_name="oyez")
    parts = [HEAD, _part("oyez", program, context)]
    for name, command in program.commands.items():
        parts += _of(f"oyez {name}", name, command, context)
    return "".join(parts)


def command_names() -> list[str]:
    """`oyez status`, `oyez retry list` and so on: every command that the page has."""
    return re.findall(r"^## `(oyez .*)`$", commands_page(), re.MULTILINE)


def _of(title: str, name: str, command: Any, parent: typer.Context) -> Iterator[str]:
    group = next((one for one in GROUPS if one.name == name), None)
    if group is None:
        loaded = _loaded(command)
        yield _part(title, loaded, typer.Context(loaded, info_name=name, parent=parent))
        return
    inner = typer.Context(command, info_name=name, parent=parent)
    for below, one in command.commands.items():
        yield from _of(f"{title} {below}", f"{name} {below}", one, inner)


def _loaded(command: Any) -> Any:
    """A command is imported when it is run; here all are."""
    return command.loaded() if hasattr(command, "loaded") else command


def _part(title: str, command: Any, context: typer.Context) -> str:
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [_row(parameter, context) for parameter in command.get_params(context)]
    rows = [row for row in rows if row]
    options = "\n" + table(("argument or option", "meaning"), rows) if rows else ""
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    return (
        f"## `{title}`\n\n```\n{context.command_path} {usage}\n```\n\n{text}\n{options}\n{_examples(command)}"
    )


def _examples(command: Any) -> str:
    """What the help ends with: a line that says so, and the examples."""
    said, *lines = (command.epilog or "").split("\n\n")
    listed = "\n".join(lines)
    return f"{said}\n\n```sh\n{listed}\n```\n\n" if lines else ""


def _row(parameter: Any, context: typer.Context) -> tuple[str, str] | None:
    if getattr(parameter, "hidden", False):
        return None
    record = parameter.get_help_record(context)
    if record is None:
        return None
    name, text = record
    return f"`{name.strip()}`", re.sub(r"([\[*_])", r"\\\1", text or "").replace("<", "&lt;")
