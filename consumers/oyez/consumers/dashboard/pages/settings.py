"""`/settings`: each setting, and where it was set."""

from __future__ import annotations

import json

from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.settings import settings_of


def _question(asked: Asked) -> Answer:
    rows = settings_of(asked.board.settings)
    only_set = bool(asked.query.get("set"))
    shown = [row for row in rows if row.problem or not only_set or row.origin != "default"]
    return {
        "rows": [(row, _text(row.value)) for row in shown],
        "only_set": only_set,
        "wrong": sum(row.is_wrong for row in rows),
    }


def _text(value: object) -> str | None:
    """A value as it would be written in the environment."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PAGE = Page("/settings", "Settings", "settings.html", _question, "Settings")
