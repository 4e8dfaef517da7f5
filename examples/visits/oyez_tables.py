"""Oyez's tables, as far as an import is watched in them; `docs/databases.md` says what they are."""

from __future__ import annotations

from sqlalchemy import TableClause, column, table


def _table(name: str, *columns: str) -> TableClause:
    return table(name, *map(column, columns))


position = _table("oyez_position", "group_name", "topic", "partition", "position")
inbox = _table("oyez_inbox", "group_name", "source", "event_id")
parked = _table("oyez_parked", "id", "app", "source", "event_id")
dead = _table("oyez_dead", "app", "source", "event_id", "parked_id")
outbox = _table("oyez_outbox", "topic")
member = _table("oyez_member", "group_name")
prerequisite = _table("oyez_prerequisite", "app")
handler = _table("oyez_handler", "app")
