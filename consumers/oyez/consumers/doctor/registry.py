"""The checks, in the order in which they are run: each after those that it needs."""

from __future__ import annotations

from collections.abc import Sequence

from .check import Check
from .checks import (
    application,
    clock,
    database,
    log,
    mail,
    migrations,
    outbox,
    positions,
    prerequisites,
    processes,
    remembering,
    retention,
    settings,
    shared_outbox,
    spool,
    sqlite_journal,
    topics,
    workers,
)

CHECKS: Sequence[Check] = (
    settings.CHECK,
    application.CHECK,
    database.CHECK,
    migrations.CHECK,
    clock.DATABASE,
    sqlite_journal.CHECK,
    log.CHECK,
    clock.LOG,
    topics.CHECK,
    retention.INBOX,
    retention.POSITIONS,
    remembering.CHECK,
    positions.CHECK,
    workers.CHECK,
    prerequisites.CHECK,
    outbox.CHECK,
    shared_outbox.CHECK,
    spool.CHECK,
    mail.SERVER,
    mail.QUEUE,
    processes.CHECK,
)
