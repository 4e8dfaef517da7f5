"""Samples: how each group stood, once a minute."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oyez_sample",
        sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("group_name", sa.Text, primary_key=True),
        sa.Column("handled", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("lag", sa.BigInteger),
        sa.Column("parked", sa.BigInteger, nullable=False),
        sa.Column("oldest_wait", sa.Double),
        sa.Column("dead", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
