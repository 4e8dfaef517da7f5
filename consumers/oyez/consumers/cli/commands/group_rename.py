"""`oyez group rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from ...admin import Renaming
from ...database import Database as Transactions
from ...handlers.recorded_handlers import has_handlers
from ...logs.backend import LogBackend
from ...logs.lookup import log_backend
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bundles import taking
from ..common.errors import NotFound, UsageProblem
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
            help="Do not ask Kafka: no worker reads from it, and the group's events are handled inline.",
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
        log = None if no_kafka else _log(settings)
        handlers = Renaming(Transactions(engine), log, app, old, new).perform()
    output.note(f"{old} is {new} now; {handlers} handler{'' if handlers == 1 else 's'}")


def _log(settings: ListenSettings) -> LogBackend:
    """The log that is set, after it has answered. Raises `Unreachable`, and `SettingsError` if there is none."""
    backend = log_backend(settings)
    probes.reached_log(backend)
    return backend
