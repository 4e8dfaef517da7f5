"""What a deployment prepares besides Oyez's own tables: `python -m visits.deploy`."""

from __future__ import annotations

from oyez.producers import Settings
from visits import database, tables
from visits.errors import reported
from visits.kafka import Topic

PARTITIONS = 4


def main() -> None:
    """Make the application's tables and its topic, as the settings say, where they are not there yet."""
    settings = Settings()
    tables.metadata.create_all(database.opened(settings.database or ""))
    # Workers of a topic that is not there join no group, and are not healthy.
    Topic(settings.kafka, settings.topic).create(PARTITIONS)


if __name__ == "__main__":
    with reported():
        main()
