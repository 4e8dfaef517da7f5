"""Groups of commands, such as `oyez retry …`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import typer

from .bundles import Command


@dataclass(frozen=True)
class CommandGroup:
    """``text`` is the group's help; ``commands`` are its commands by name, whose help are their docstrings."""

    name: str
    text: str
    commands: Mapping[str, Command]

    def add_to(self, app: typer.Typer) -> None:
        """Make it a group of this program's commands."""
        group = typer.Typer(no_args_is_help=True, help=self.text)
        for name, command in self.commands.items():
            group.command(name)(command)
        app.add_typer(group, name=self.name)
