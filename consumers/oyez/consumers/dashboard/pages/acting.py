"""`/parked/release`, `/parked/discard`, `/dead/retry` and `/dead/discard`: what would be done, and to how many; then it
is done, as by the commands of these names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from ...cli.common.errors import UsageProblem
from ...cli.common.rates import interval_of
from ...core.rate_limit import Pace
from ...database.tables import parked
from ...run.delivery_actions import DISCARD_DEAD, DISCARD_PARKED, RELEASE, RETRY, Action
from ..common.access import Action as Name
from ..common.asked import Asked
from ..common.operating import Order
from ..common.page import Answer, Form, Page, Place
from ..questions.dry_run import MOST, dry_run
from ..questions.filters import chosen_by
from ..questions.mails import number_in

TEXTS: Mapping[str, str] = {
    "release": "They are due now. The next worker or sweep checks again what they require.",
    "retry": "They go back into the retry table, where they were, with no attempts made.",
    "discard": "They are deleted, and will never be handled. What waited for their events alone is released.",
}


def _asked(action: Action, name: Name, where: str, asked: Asked) -> Answer:
    if not asked.may(name):
        raise HTTPException(403, f"you may read this dashboard, but not {name}")
    board = asked.board
    with board.reading() as db:
        now = board.clock(db)
        chosen = chosen_by(asked.query, action.table, board.application.name, now)
        found = dry_run(db, action, chosen, now)
    return {
        "found": found,
        "where": where,
        "name": name,
        "text": TEXTS[name],
        "most": MOST,
        "words": chosen.words,
        "list": asked.link(f"/{where}", **chosen.fields),
        "has_rate": name != "discard",
    }


def _done(action: Action, name: Name, where: str, asked: Asked) -> Answer:
    board = asked.board
    rate = asked.form.get("rate", "").strip()
    pace = Pace(interval_of(rate)) if rate else Pace()
    with board.reading() as db:
        now = board.clock(db)
        chosen = chosen_by(asked.form, action.table, board.application.name, now)
        found = dry_run(db, action, chosen, now)
    if found.count is None:
        raise UsageProblem(f"these are more than {MOST}; choose fewer, and nothing was done to any")
    words, who = chosen.harmless_words, asked.access.who
    counted = number_in(asked.form, "counted")
    if counted is not None and found.count > counted:
        raise UsageProblem(
            f"by now {found.count} are meant, and {counted} were counted: look again; nothing was done to any"
        )
    order = Order(action, f"{where} {name}", found.wanted, words, who, found.count, rate or None, pace)
    number = board.operating.begin(order)
    if number is None:
        raise UsageProblem(
            "as much as may be is being done already; wait until it has ended, nothing was done"
        )
    return RedirectResponse(asked.link(f"/operations/{number}"), 303)


def _places(action: Action, name: Name) -> Sequence[Place]:
    where: Literal["parked", "dead"] = "parked" if action.table is parked else "dead"
    path, title = (
        f"/{where}/{name}",
        f"{name.capitalize()} {'what is parked' if where == 'parked' else 'dead letters'}",
    )
    return (
        Page(path, title, "confirm.html", partial(_asked, action, name, where), is_live=False),
        Form(path, title, name, partial(_done, action, name, where)),
    )


PLACES: Sequence[Place] = (
    *_places(RELEASE, "release"),
    *_places(DISCARD_PARKED, "discard"),
    *_places(RETRY, "retry"),
    *_places(DISCARD_DEAD, "discard"),
)
