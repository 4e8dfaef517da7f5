"""The first tables."""

import sqlalchemy as sa
from alembic import op

from oyez.consumers.database.row_id_type import RowId

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WAITING = ["app", "wait_signal", "wait_subject"]


def delivery() -> list[sa.Column[object]]:
    return [
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("rank", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("ordered", sa.Boolean, nullable=False),
        sa.Column("wait_signal", sa.Text),
        sa.Column("wait_subject", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("error", sa.Text),
        sa.Column("parked_at", sa.Double, nullable=False),
        sa.Column("value", sa.LargeBinary),
        sa.Column("headers", sa.Text),
        sa.Column("first_attempt", sa.Text),
    ]


def upgrade() -> None:
    op.create_table(
        "oyez_position",
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("topic_id", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("acquisitions", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("suspect", sa.BigInteger),
        sa.Column("starts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("again_below", sa.BigInteger),
        sa.Column("halted", sa.Text),
        sa.Column("halted_at", sa.Double),
        sa.Column("trouble", sa.Text),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_table(
        "oyez_inbox",
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("taken_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oyez_prerequisite",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("signal", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("met_at", sa.Double),
        sa.Column("seen_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oyez_handler",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("handler", sa.Text, primary_key=True),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False, server_default=sa.text("0")),
        sa.Column("tokens", sa.Double),
        sa.Column("tokens_at", sa.Double),
        sa.Column("lanes", sa.Integer),
    )
    create_parked()
    create_dead()
    create_start()
    create_members()
    create_outbox()
    create_mail()


def create_parked() -> None:
    op.create_table(
        "oyez_parked",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        *delivery(),
        sa.Column("due_at", sa.Double),
        sa.Column("head_since", sa.Double),
        sa.Column("raised", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("starts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "oyez_parked_delivery", "oyez_parked", ["app", "source", "event_id", "handler"], unique=True
    )
    op.create_index("oyez_parked_key", "oyez_parked", ["app", "handler", "key", "rank", "id"])
    op.create_index("oyez_parked_age", "oyez_parked", ["group_name", "id"])
    index("oyez_parked", "due", ["group_name", "handler", "due_at", "id"], "due_at IS NOT NULL")
    index("oyez_parked", "waiting", [*WAITING, "group_name", "head_since", "id"], "wait_signal IS NOT NULL")
    patience = ["group_name", "handler", "raised", "wait_signal", "head_since", "id"]
    index("oyez_parked", "patience", patience, "wait_signal IS NOT NULL")
    create_behind()


def create_behind() -> None:
    op.create_table(
        "oyez_behind",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("oyez_behind_group", "oyez_behind", ["group_name", "id"])
    op.create_table(
        "oyez_releasing",
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("signal", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
    )


def create_dead() -> None:
    op.create_table(
        "oyez_dead",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        *delivery(),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("died_at", sa.Double, nullable=False),
        sa.Column("parked_id", sa.BigInteger),
        sa.Column("topic", sa.Text),
        sa.Column("partition", sa.Integer),
        sa.Column("position", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("oyez_dead_delivery", "oyez_dead", ["app", "source", "event_id", "handler"], unique=True)
    op.create_index("oyez_dead_key", "oyez_dead", ["app", "handler", "key"])
    index("oyez_dead", "waiting", WAITING, "wait_signal IS NOT NULL")


def index(table: str, name: str, columns: list[str], only: str) -> None:
    where = sa.text(only)
    op.create_index(f"{table}_{name}", table, columns, postgresql_where=where, sqlite_where=where)


def create_start() -> None:
    op.create_table(
        "oyez_start",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("oyez_start_group", "oyez_start", ["group_name", "started_at"])


def create_members() -> None:
    op.create_table(
        "oyez_member",
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
    op.create_table(
        "oyez_committed",
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("topic_id", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "oyez_misplaced",
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("belongs", sa.Integer, nullable=False),
        sa.Column("advice", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
    op.create_table(
        "oyez_pause",
        sa.Column("app", sa.Text, primary_key=True),
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("handler", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("paused_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("resumed_at", sa.Double),
    )


def create_outbox() -> None:
    op.create_table(
        "oyez_outbox",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("announced_at", sa.Double, nullable=False),
        sa.Column("refused", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "oyez_relay_lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("failed_at", sa.Double),
    )


def create_mail() -> None:
    op.create_table(
        "oyez_mail",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("event_id", sa.Text),
        sa.Column("n", sa.Integer),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("sender", sa.Text),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("remaining", sa.Text, nullable=False),
        sa.Column("refused", sa.Text),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("unsure", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("claim", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("queued_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("traceparent", sa.Text),
        sqlite_autoincrement=True,
    )
    once = ["app", "handler", "source", "event_id", "n"]
    op.create_index("oyez_mail_once", "oyez_mail", once, unique=True)
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "oyez_mail_due",
        "oyez_mail",
        ["rank", "since", "id", "due_at"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    sending = sa.text("state = 'sending'")
    op.create_index(
        "oyez_mail_sending", "oyez_mail", ["changed_at"], postgresql_where=sending, sqlite_where=sending
    )
