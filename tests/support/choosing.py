"""Marks tests by what they need, so that a quick run can leave out what is slow to start.

``services``: a Kafka or a PostgreSQL. ``slow``: processes of their own, builds, or seconds of work.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LONG = tuple((TESTS / "long.txt").read_text().split())  # files and folders that `make test-long` runs
SERVICES = {"kafka", "own_kafka", "own_postgres", "postgres_server"}  # fixtures; those that use them follow
KINDS = {
    "postgres",
    "services",
    "oyez_live",
    "cooperative",
    "eager",
    "kip-848",
}  # of a fixture that has parameters
SERVICES_IN = ("integration", "soak", "consumers/dev")
SLOW_IN = (  # processes and builds first, then long properties and many rows
    "house/test_wheel.py",
    "test_alerts.py",
    "test_compose.py",
    "test_docs.py",
    "test_event_files.py",
    "test_docs_celery.py",
    "test_docs_django.py",
    "test_docs_fastapi.py",
    "test_docs_flask.py",
    "test_shop_django.py",
    "test_shop_fastapi.py",
    "test_testing_docs.py",
    "visits",
    "consumers/admin/test_broken_handler.py",
    "consumers/admin/test_commands.py",
    "consumers/admin/test_explain.py",
    "consumers/cli",
    "deploy",
    "consumers/execution/test_closed_outcomes.py",
    "consumers/inline/test_inline_side_by_side.py",
    "consumers/test_imports.py",
    "consumers/mail/test_mail_commands.py",
    "consumers/mail/test_sending.py",
    "consumers/partitions/test_dying_workers.py",
    "producers/spool",
    "producers/spool_shipping",
    "producers/test_exits.py",
    "producers/test_imports.py",
    "consumers/execution/test_broken_deploy.py",
    "consumers/execution/test_ending_transactions.py",
    "consumers/execution/test_model.py",
    "consumers/execution/test_model_never_met.py",
    "consumers/interleavings/test_many.py",
    "consumers/logs/test_contract.py",
    "consumers/outbox/test_relays_at_once.py",
    "consumers/run/test_bounded_pass.py",
    "consumers/testing",
    "consumers/upkeep/test_after_deploy.py",
    "consumers/upkeep/test_retention.py",
    "producers/kafka/failover/test_order.py",
    "producers/tasks",
    "producers/web/test_servers.py",
    "producers/test_stamps.py",
)


def mark(items: Iterable[pytest.Item]) -> None:
    """Mark each test."""
    for item in items:
        if needs_services(item):
            item.add_marker("services")
        if _stands_in(item, SLOW_IN):
            item.add_marker("slow")


def needs_services(item: pytest.Item) -> bool:
    """Whether it asks for a service, in a parameter too, or stands where all do."""
    if not isinstance(item, pytest.Function):
        return False
    asked = getattr(item, "callspec", None)
    kinds = {value for value in asked.params.values() if isinstance(value, str)} if asked else set()
    return bool(SERVICES & {*item.fixturenames} or KINDS & kinds) or _stands_in(item, SERVICES_IN)


def _stands_in(item: pytest.Item, places: Iterable[str]) -> bool:
    return any(item.path.is_relative_to(TESTS / place) for place in places)
