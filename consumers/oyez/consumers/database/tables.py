"""Oyez's own tables, in the user's database. Times are seconds since the epoch, by its own clock: see `clock`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    text,
)

from oyez.producers import outbox as announced

from .message_type import Message
from .metadata import metadata
from .partial_indexes import only
from .row_id_type import RowId

position = Table(
    "oyez_position",
    metadata,
    Column("group_name", Text, primary_key=True),
    Column("topic_id", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("acquisitions", Integer, nullable=False, server_default=text("0")),
    Column("suspect", BigInteger),
    Column("starts", Integer, nullable=False, server_default=text("0")),
    Column("again_below", BigInteger),
    Column("halted", Message),
    Column("halted_at", Double),
    Column("trouble", Message),
    Column("updated_at", Double, nullable=False),
)

inbox = Table(
    "oyez_inbox",
    metadata,
    Column("group_name", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("taken_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

prerequisite = Table(
    "oyez_prerequisite",
    metadata,
    Column("app", Text, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("met_at", Double),
    Column("seen_at", Double, nullable=False),
    sqlite_with_rowid=False,
)


AWAITED = ("app", "wait_signal", "wait_subject")
WAITING = "wait_signal IS NOT NULL"
DUE = "due_at IS NOT NULL"


def _delivery() -> list[Column[object]]:
    """The columns that a parked delivery and a dead one have in common."""
    return [
        Column("app", Text, nullable=False),
        Column("group_name", Text, nullable=False),
        Column("handler", Text, nullable=False),
        Column("signal", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("event_id", Text, nullable=False),
        Column("key", Text),
        Column("subject", Text),
        Column("rank", BigInteger, nullable=False, server_default=text("0")),
        Column("ordered", Boolean, nullable=False),
        Column("wait_signal", Text),
        Column("wait_subject", Text),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("error", Message),
        Column("parked_at", Double, nullable=False),
        Column("value", LargeBinary),
        Column("headers", Text),
        Column("first_attempt", Text),
    ]


parked = Table(
    "oyez_parked",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    *_delivery(),
    Column("due_at", Double),
    Column("head_since", Double),
    Column("raised", Boolean, nullable=False, server_default=false()),
    Column("starts", Integer, nullable=False, server_default=text("0")),
    Index("oyez_parked_delivery", "app", "source", "event_id", "handler", unique=True),
    Index("oyez_parked_key", "app", "handler", "key", "rank", "id"),
    Index("oyez_parked_age", "group_name", "id"),
    Index("oyez_parked_due", "group_name", "handler", "due_at", "id", **only(DUE)),
    Index(
        "oyez_parked_waiting",
        "app",
        "wait_signal",
        "wait_subject",
        "group_name",
        "head_since",
        "id",
        **only(WAITING),
    ),
    Index(
        "oyez_parked_patience",
        "group_name",
        "handler",
        "raised",
        "wait_signal",
        "head_since",
        "id",
        **only(WAITING),
    ),
    sqlite_autoincrement=True,
)

behind = Table(
    "oyez_behind",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("group_name", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index("oyez_behind_group", "group_name", "id"),
    sqlite_autoincrement=True,
)

releasing = Table(
    "oyez_releasing",
    metadata,
    Column("group_name", Text, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
)

dead = Table(
    "oyez_dead",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    *_delivery(),
    Column("reason", Message, nullable=False),
    Column("died_at", Double, nullable=False),
    Column("parked_id", BigInteger),
    Column("topic", Text),
    Column("partition", Integer),
    Column("position", BigInteger),
    Index("oyez_dead_delivery", "app", "source", "event_id", "handler", unique=True),
    Index("oyez_dead_key", "app", "handler", "key"),
    Index("oyez_dead_waiting", *AWAITED, **only(WAITING)),
    sqlite_autoincrement=True,
)

start = Table(
    "oyez_start",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("group_name", Text, nullable=False),
    Column("rows", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Index("oyez_start_group", "group_name", "started_at"),
    sqlite_autoincrement=True,
)

member = Table(
    "oyez_member",
    metadata,
    Column("group_name", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    Column("seen_at", Double, nullable=False),
)

committed = Table(
    "oyez_committed",
    metadata,
    Column("group_name", Text, primary_key=True),
    Column("topic_id", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

misplaced = Table(
    "oyez_misplaced",
    metadata,
    Column("group_name", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("belongs", Integer, nullable=False),
    Column("advice", Text, nullable=False),
    Column("seen_at", Double, nullable=False),
)

pause = Table(
    "oyez_pause",
    metadata,
    *(Column(name, Text, primary_key=True) for name in ("app", "group_name", "handler", "key")),
    Column("since", Double, nullable=False),
    Column("paused_by", Message, nullable=False),
    Column("reason", Message),
    Column("resumed_at", Double),
)

mail = Table(
    "oyez_mail",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("app", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("source", Text),
    Column("event_id", Text),
    Column("n", Integer),
    Column("state", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("sender", Text),
    Column("recipients", Text, nullable=False),
    Column("remaining", Text, nullable=False),
    Column("refused", Text),
    Column("subject", Message, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("unsure", Integer, nullable=False, server_default=text("0")),
    Column("claim", Text),
    Column("error", Message),
    Column("queued_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("traceparent", Text),
    Index("oyez_mail_once", "app", "handler", "source", "event_id", "n", unique=True),
    Index(
        "oyez_mail_due",
        "rank",
        "since",
        "id",
        "due_at",
        **only("state = 'waiting'"),
    ),
    Index(
        "oyez_mail_sending",
        "changed_at",
        **only("state = 'sending'"),
    ),
    sqlite_autoincrement=True,
)

handler = Table(
    "oyez_handler",
    metadata,
    Column("app", Text, primary_key=True),
    Column("handler", Text, primary_key=True),
    Column("group_name", Text, nullable=False),
    Column("seen_at", Double, nullable=False, server_default=text("0")),
    Column("tokens", Double),
    Column("tokens_at", Double),
    Column("lanes", Integer),
)

outbox = announced.table.to_metadata(metadata)

scheduled = announced.scheduled.to_metadata(metadata)
Index("oyez_scheduled_due", scheduled.c.due_at, scheduled.c.id)
Index("oyez_scheduled_key", scheduled.c.key, scheduled.c.id, **only("key IS NOT NULL"))

relay_lease = Table(
    "oyez_relay_lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("until", Double, nullable=False),
    Column("error", Message),
    Column("failed_at", Double),
)
