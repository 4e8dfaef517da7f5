"""What has expired is found by its event."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    expired = sa.text("outcome = 'expired'")
    op.create_index(
        "oyez_journal_expired",
        "oyez_journal",
        ["app", "event_id"],
        postgresql_where=expired,
        sqlite_where=expired,
    )
