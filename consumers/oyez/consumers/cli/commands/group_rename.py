"""`oyez group rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from ...admin import Renaming
from ...database import Database as Transactions
from ...handlers.recorded_handlers import has_handlers
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bundles import taking
from ..common.errors import NotFound, UsageProblem
from ..common.offsets import offsets_of
from ..common.options import settings_by


@taking(settings_by("database", "kafka"))
def rename(
    *,
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="The group's full name, such as shop.page.viewed.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new full name, such as shop.visits.")],
    no_kafka: Annotated[
        bool,
        typer.Option(
            "--no-kafka",
            help="Do not ask Kafka: the group has never read from it, and its events are handled inline.",
        ),
    ] = False,
    settings: ListenSettings,
) -> None:
    """Give a group's positions and all that waits for it to another name. Stop its workers first."""
    app = old.partition(".")[0]
    for name in (old, new):
        if name.partition(".")[0] != app or not name.partition(".")[2]:
            raise UsageProblem(f"{name}: give full names of groups of one application, such as {app}.visits")
    if old == new:
        raise UsageProblem(f"{old} and {new} are the same name")
    with probes.engine_of(settings) as engine:
        if not has_handlers(engine, old):
            raise NotFound(
                f"no handler has ever been in the group {old} in this database; nothing was changed"
            )
        renaming = Renaming(Transactions(engine), app, old, new)
        is_in_log = not no_kafka and not renaming.keeps_positions()
        handlers = renaming.perform(offsets_of(settings, engine) if is_in_log else None)
    output.note(f"{old} is {new} now; {handlers} handler{'' if handlers == 1 else 's'}")
