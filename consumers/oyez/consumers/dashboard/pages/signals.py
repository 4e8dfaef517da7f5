"""`/signals`: the signals, who requires whom, and the schema of each."""

from __future__ import annotations

import json

from starlette.exceptions import HTTPException

from oyez.schemas.documents import json_schema

from ...reports.catalogue import handler_row, signal_row
from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.signals import signal_named, signals_of


def _all(asked: Asked) -> Answer:
    return vars(signals_of(asked.board.application))


def _one(asked: Asked) -> Answer:
    application = asked.board.application
    found = signal_named(application, asked.path["name"])
    if found is None:
        raise HTTPException(404, f"{application.name} has no signal {asked.path['name'][:200]}")
    handlers = [handler_row(one) for one in application.handlers if one.declaration.name == found.name]
    schema = json.dumps(json_schema(found), indent=2, ensure_ascii=False)
    return {"row": signal_row(found, application.handlers), "handlers": handlers, "schema": schema}


PAGE = Page("/signals", "Signals", "signals.html", _all, "Signals")
SIGNAL = Page("/signals/{name}", "Signal", "signal.html", _one)
