"""Commands that are imported when they are run: until then each is its name and a line of help."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from copy import copy
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from .common.arguments import check_arguments
from .examples import epilog_of
from .listing import CommandGroup, Listed
from .panels import panel_of


class WhenRun(TyperCommand):
    """A command of which nothing is loaded yet."""

    def __init__(self, full_name: str, listed: Listed) -> None:
        name = full_name.rpartition(" ")[2]
        super().__init__(name, help=listed.text, rich_help_panel=panel_of(full_name))
        self._full_name = full_name
        self._listed = listed

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Whoever runs it, or asks for its help or its completions, begins here: the context is the command's own."""
        command = self.loaded()
        gc.freeze()  # what was imported stays; what a command makes comes and goes
        gc.enable()
        context = command.make_context(*args, **options)
        check_arguments(context)
        return context

    def loaded(self) -> Any:
        """The command itself."""
        module, _, function = self._listed.function.partition(":")
        program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        program.command(self.name, epilog=epilog_of(self._full_name))(
            getattr(import_module(f".commands.{module}", __package__), function)
        )
        return typer.main.get_command(program)


def commands_of(listed: Mapping[str, Listed], group: str = "") -> dict[str, Any]:
    """These commands, by their names; `group` is the one that they are in."""
    return {name: WhenRun(f"{group} {name}".lstrip(), one) for name, one in listed.items()}


class WithUsual(TyperGroup):
    """A group of which one command is meant where none is named."""

    def __init__(self, usual: str, **options: Any) -> None:
        super().__init__(**options)
        self._usual = usual

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Its own help is the group's."""
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else [self._usual, *args])

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The options of the command that is meant are listed too: they are given without its name."""
        shown = copy(self)
        shown.params = [*self.params, *self._options_of_the_usual()]
        TyperGroup.format_help(shown, ctx, formatter)

    def _options_of_the_usual(self) -> Iterator[Any]:
        usual: Any = self.commands[self._usual]
        for one in usual.loaded().params:
            if isinstance(one, TyperOption):
                option: Any = copy(one)
                option.rich_help_panel = f"Options of {self._usual}"
                yield option


def group_of(group: CommandGroup) -> TyperGroup:
    """A group of them."""
    options: dict[str, Any] = {
        "name": group.name,
        "help": group.text,
        "epilog": epilog_of(group.name),
        "rich_help_panel": panel_of(group.name),
        "commands": commands_of(group.commands, group.name),
    }
    if group.usual is not None:
        return WithUsual(group.usual, **options)
    return TyperGroup(no_args_is_help=True, **options)
