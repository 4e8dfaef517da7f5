"""The options that choose deliveries: the same for what is parked and for what is dead."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Annotated, Any

import typer
from sqlalchemy import Table

from ...database.delivery_filter import STATES, Filter
from ...database.tables import parked
from ..common.exits import UsageProblem

SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")

OPTIONS: Mapping[str, Any] = {
    "signal": Annotated[str | None, typer.Option("--signal", help="Only this signal's, by name.")],
    "handler": Annotated[str | None, typer.Option("--handler", help="Only this handler's.")],
    "key": Annotated[str | None, typer.Option("--key", help="Only this key's.")],
    "source": Annotated[str | None, typer.Option("--source", help="Only events of this source.")],
    "reason": Annotated[
        str | None,
        typer.Option(
            "--reason",
            help="Of parked ones waiting, behind or due; of dead ones, what their reason begins with.",
        ),
    ],
    "error": Annotated[
        str | None, typer.Option("--error", help="Only those whose error has this text in it.")
    ],
    "older": Annotated[
        str | None,
        typer.Option("--older", metavar="AGE", help="Parked or dead for longer, such as 10m, 2h, 3d."),
    ],
    "newer": Annotated[
        str | None, typer.Option("--newer", metavar="AGE", help="Parked or dead for a shorter time.")
    ],
    "event": Annotated[
        list[str] | None, typer.Option("--id", metavar="EVENT", help="Only this event's; may be repeated.")
    ],
}


def filtered(table: Table) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options that choose rows of ``table``; it gets a `Filter`, as ``wanted``."""
    return choosing_by(OPTIONS, partial(filter_of, table))


def choosing_by(
    offered: Mapping[str, Any], make: Callable[..., Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options; as ``wanted`` it gets what ``make`` makes of the time and of them."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**given: Any) -> None:
            chosen = {name: given.pop(name) for name in offered}
            command(wanted=make(time.time(), **chosen), **given)

        own = inspect.signature(command, eval_str=True)
        options = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in offered.items()
        ]
        context, *others = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own.parameters.values()
            if parameter.name != "wanted"
        ]
        run.__signature__ = own.replace(parameters=[context, *options, *others])  # type: ignore[attr-defined]
        return run

    return decorate


def filter_of(
    table: Table,
    now: float,
    *,
    older: str | None = None,
    newer: str | None = None,
    event: list[str] | None = None,
    reason: str | None = None,
    **exact: str | None,
) -> Filter:
    """The filter that these options say; ``now`` is in seconds since the epoch. Raises `UsageProblem`."""
    if table is parked and reason is not None and reason not in STATES:
        raise UsageProblem(f"--reason {reason}: what is parked is {', '.join(STATES)}")
    return Filter(
        **exact,
        reason=reason,
        before=None if older is None else now - seconds("--older", older),
        since=None if newer is None else now - seconds("--newer", newer),
        events=tuple(event or ()),
    )


def seconds(option: str, age: str) -> float:
    """An age in seconds; raises `UsageProblem`."""
    found = _AGE.fullmatch(age)
    if found is None:
        raise UsageProblem(f"{option} {age}: write a number with s, m, h, d or w, such as 10m, 2h or 3d")
    return float(found[1]) * SECONDS[found[2]]
