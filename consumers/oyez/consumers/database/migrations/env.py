"""Alembic's environment: the connection is given by `oyez.consumers.database.migrating`."""

from alembic import context

from oyez.consumers.database import metadata
from oyez.consumers.database.migrating import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
