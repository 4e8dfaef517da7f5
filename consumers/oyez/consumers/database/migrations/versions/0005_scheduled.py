"""Scheduled events: what is announced later."""

import sqlalchemy as sa
from alembic import op

from oyez.consumers.database.row_id_type import RowId

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oyez_scheduled",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("scheduled_at", sa.Double, nullable=False),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("oyez_scheduled_due", "oyez_scheduled", ["due_at", "id"])
    with_key = sa.text("key IS NOT NULL")
    op.create_index(
        "oyez_scheduled_key",
        "oyez_scheduled",
        ["key", "id"],
        postgresql_where=with_key,
        sqlite_where=with_key,
    )
