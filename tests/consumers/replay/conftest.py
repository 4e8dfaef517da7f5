"""Pipelines whose events are replayed."""

from consumers.conftest import (
    pipeline_database,
    pipeline_postgres,
    pipeline_sqlite,
    play,
    prepared_postgres,
    prepared_sqlite,
)

__all__ = [
    "pipeline_database",
    "pipeline_postgres",
    "pipeline_sqlite",
    "play",
    "prepared_postgres",
    "prepared_sqlite",
]
