"""Alembic's environment: the connection is given by `oyez.consumers.database.migrating`."""

from alembic import context

from ..migrating import VERSION_TABLE
from ..tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
