"""The options that choose mails of the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from ...database.mail_filter import MailFilter
from ...database.mails import STATES, URGENT
from ..common.exits import UsageProblem
from .deliveries_filter import choosing_by, seconds

MOST = 2**63 - 1
"""The highest number that a database has for a mail."""
OPTIONS: Mapping[str, Any] = {
    "state": Annotated[
        list[str] | None, typer.Option("--state", help=f"{', '.join(STATES)}; may be repeated.")
    ],
    "handler": Annotated[str | None, typer.Option("--handler", help="Only this handler's.")],
    "source": Annotated[str | None, typer.Option("--source", help="Only for events of this source.")],
    "priority": Annotated[
        int | None, typer.Option("--priority", min=0, max=URGENT, help="Only of this priority.")
    ],
    "to": Annotated[
        str | None, typer.Option("--to", help="Only those with this text in a recipient's address.")
    ],
    "error": Annotated[
        str | None, typer.Option("--error", help="Only those whose error has this text in it.")
    ],
    "older": Annotated[
        str | None, typer.Option("--older", metavar="AGE", help="Queued for longer, such as 10m, 2h, 3d.")
    ],
    "newer": Annotated[str | None, typer.Option("--newer", metavar="AGE", help="Queued for a shorter time.")],
    "event": Annotated[
        list[str] | None, typer.Option("--id", metavar="EVENT", help="Only this event's; may be repeated.")
    ],
    "mail": Annotated[
        list[int] | None,
        typer.Option("--mail", metavar="NUMBER", max=MOST, help="Only this one; may be repeated."),
    ],
    "unsure": Annotated[
        bool | None, typer.Option("--unsure", help="Only those that may have been sent, also if sent again.")
    ],
}


def mail_filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose mails; it gets a `MailFilter`, as ``wanted``."""
    return choosing_by(OPTIONS, mail_filter_of)(command)


def mail_filter_of(
    now: float,
    *,
    state: list[str] | None = None,
    older: str | None = None,
    newer: str | None = None,
    event: list[str] | None = None,
    mail: list[int] | None = None,
    unsure: bool | None = None,
    **exact: Any,
) -> MailFilter:
    """The filter that these options say; ``now`` is in seconds since the epoch. Raises `UsageProblem`."""
    for one in state or ():
        if one not in STATES:
            raise UsageProblem(f"--state {one}: a mail is {', '.join(STATES)}")
    return MailFilter(
        **exact,
        states=tuple(state or ()),
        before=None if older is None else now - seconds("--older", older),
        since=None if newer is None else now - seconds("--newer", newer),
        events=tuple(event or ()),
        numbers=tuple(mail or ()),
        unsure=bool(unsure),
    )
