"""Options that belong together. A command takes what is made of them, as one parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_args

import typer

Command = Callable[..., None]


@dataclass(frozen=True)
class Bundle:
    """``options`` are annotations of typer's, by the names of their values. ``make`` is called with the context and
    those values, and what it returns is given to the command as ``parameter``."""

    parameter: str
    options: Mapping[str, Any]
    make: Callable[..., Any]


def taking(*bundles: Bundle) -> Callable[[Command], Command]:
    """Give a command the options of these bundles, each where its parameter stands. They are made in this order."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(context: typer.Context, **given: Any) -> None:
            made = {
                bundle.parameter: bundle.make(context, **{name: given.pop(name) for name in bundle.options})
                for bundle in bundles
            }
            own_context = {CONTEXT.name: context} if CONTEXT.name in own.parameters else {}
            command(**own_context, **made, **given)

        own = inspect.signature(command, eval_str=True)
        parameters = [CONTEXT, *_parameters(own, bundles)]
        run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return run

    return decorate


CONTEXT = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def _parameters(own: inspect.Signature, bundles: Sequence[Bundle]) -> Iterator[inspect.Parameter]:
    """The command's own parameters, and in the place of a bundle's one for each of its options."""
    options = {bundle.parameter: bundle.options for bundle in bundles}
    for parameter in own.parameters.values():
        if parameter.name not in (CONTEXT.name, *options):
            yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, kind in options.get(parameter.name, {}).items():
            is_switch = get_args(kind)[0] is bool
            yield inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=False if is_switch else None, annotation=kind
            )
