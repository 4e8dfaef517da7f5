"""Stages whose handlers queue mails, and mail servers."""

from __future__ import annotations

from consumers.conftest import (
    inline,
    play,
    prepared_postgres,
    prepared_sqlite,
    stage_database,
    stage_postgres,
    stage_sqlite,
)

__all__ = [
    "inline",
    "play",
    "prepared_postgres",
    "prepared_sqlite",
    "stage_database",
    "stage_postgres",
    "stage_sqlite",
]
