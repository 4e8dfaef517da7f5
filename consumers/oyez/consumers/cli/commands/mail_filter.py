"""The options that choose mails of the queue."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ...database.mail_filter import MailFilter
from ...database.mails import STATES, URGENT
from ..common.ages import seconds
from ..common.bundles import Bundle
from ..common.errors import UsageProblem
from .deliveries_filter import Error, EventIds, Handler, Source

OPTIONS: Mapping[str, Any] = {
    "state": Annotated[
        list[str] | None, typer.Option("--state", help=f"{', '.join(STATES)}; may be repeated.")
    ],
    "handler": Handler,
    "source": Source,
    "priority": Annotated[
        int | None, typer.Option("--priority", min=0, max=URGENT, help="Only of this priority.")
    ],
    "to": Annotated[
        str | None, typer.Option("--to", help="Only those with this text in a recipient's address.")
    ],
    "error": Error,
    "older": Annotated[
        str | None, typer.Option("--older", metavar="AGE", help="Queued for longer, such as 10m, 2h or 3d.")
    ],
    "newer": Annotated[str | None, typer.Option("--newer", metavar="AGE", help="Queued for a shorter time.")],
    "event": EventIds,
    "mail": Annotated[
        list[int] | None,
        typer.Option("--mail", metavar="NUMBER", help="Only this one; may be repeated."),
    ],
    "unsure": Annotated[
        bool | None, typer.Option("--unsure", help="Only those that may have been sent, also if sent again.")
    ],
}


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


MAIL_FILTER = Bundle("wanted", OPTIONS, lambda _context, **said: mail_filter_of(time.time(), **said))
"""The options that choose mails; a command gets a `MailFilter`, as ``wanted``."""
