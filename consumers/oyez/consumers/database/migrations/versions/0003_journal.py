"""The journal: what became of deliveries, and when."""

import sqlalchemy as sa
from alembic import op

from oyez.consumers.database.row_id_type import RowId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oyez_journal",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("signal", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("announced_at", sa.Double),
        sa.Column("arrived_at", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("together", sa.Integer),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("wait_signal", sa.Text),
        sa.Column("wait_subject", sa.Text),
        sa.Column("due_at", sa.Double),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
    )
    with_key = sa.text("key IS NOT NULL")
    op.create_index(
        "oyez_journal_key", "oyez_journal", ["key", "id"], postgresql_where=with_key, sqlite_where=with_key
    )
