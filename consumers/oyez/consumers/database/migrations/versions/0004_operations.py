"""Operations: what somebody does to many deliveries by the dashboard."""

import sqlalchemy as sa
from alembic import op

from oyez.consumers.database.message_type import Message
from oyez.consumers.database.row_id_type import RowId

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oyez_operation",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("who", Message, nullable=False),
        sa.Column("chosen", Message, nullable=False),
        sa.Column("rate", sa.Text),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("counts", sa.Text),
        sa.Column("error", Message),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("heard_at", sa.Double, nullable=False),
        sa.Column("stop_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("oyez_operation_app", "oyez_operation", ["app", "id"])
