"""A row that would meet what the head of its key waits for goes before it: both would wait for ever otherwise.

Whoever puts rows back behind a head asks here what that head waits for. A head that begins to wait at this very moment
is not seen. So the key is noted, as of all that is put behind a head, and the sweep asks again (see `stranded`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from . import behind, key_heads, parked
from .key_heads import HandlerKey, Head


def place(db: Connection, app: str, rows: Iterable[Mapping[str, Any]], now: float) -> None:
    """Of rows that were just put behind what is in their keys: those go before their head that would meet what it waits
    for, and what is the head then is due."""
    ordered = [row for row in rows if row["ordered"]]
    keys = {(row["handler"], row["key"]) for row in ordered}
    heads = key_heads.heads(db, app, keys)
    meeting = {((row["handler"], row["key"]), Prerequisite(row["signal"], row["subject"])) for row in ordered}
    overtake(
        db, app, {key: heads[key] for key, meets in meeting if key in heads and heads[key].waits == meets}
    )
    behind.promote(db, app, keys, now)


def overtake(db: Connection, app: str, heads: Mapping[HandlerKey, Head]) -> None:
    """Whatever would meet what these heads wait for goes before them."""
    needed = [
        (*key, head.waits, head.rank - 1) for key, head in sorted(heads.items()) if head.waits is not None
    ]
    parked.bring_forward(db, app, needed)
