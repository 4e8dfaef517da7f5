"""Files that take long come first: at the end no process works on one of them alone while the others have nothing left.

``--dist loadfile`` gives each process one file after the other, in this order with ``--no-loadscope-reorder``; on its
own it gives out those with most tests first.
"""

from __future__ import annotations

import pytest

from support.choosing import TESTS

LONGEST = (  # those that take 40 s and more, in the order of how long
    "soak/test_small.py",
    "integration/test_health.py",
    "consumers/execution/test_model.py",
    "consumers/execution/test_model_never_met.py",
    "integration/test_metrics.py",
    "integration/test_protocols.py",
    "consumers/cli/test_processes.py",
    "visits/test_import.py",
    "consumers/interleavings/test_released_in_steps.py",
    "consumers/cli/test_rewind.py",
    "consumers/cli/test_unreadable_spool.py",
    "consumers/cli/test_streams.py",
    "integration/rows/test_sigterm_in_trouble.py",
    "integration/test_fatal_clients.py",
    "consumers/logs/test_coordinator.py",
    "consumers/interleavings/test_two_prerequisites.py",
    "consumers/cli/test_healthy.py",
    "integration/rows/test_killed_at_any_instruction.py",
    "consumers/cli/test_metrics.py",
    "consumers/admin/test_commands.py",
    "consumers/logs/test_contract.py",
    "consumers/cli/test_night.py",
    "consumers/logs/test_stalls.py",
    "consumers/partitions/test_dying_workers.py",
    "integration/rows/test_clocks_are_wrong.py",
    "integration/mail/test_real_servers.py",
    "test_compose.py",
    "test_testing_docs.py",
    "integration/test_rebalances.py",
    "integration/test_fencing.py",
    "integration/test_async_announcing.py",
)
_PLACES = {TESTS / name: place for place, name in enumerate(LONGEST)}


def longest_first(items: list[pytest.Item]) -> None:
    """Sort tests in place; those of one file, and of files that take less, stay in their order."""
    items.sort(key=lambda item: _PLACES.get(item.path, len(_PLACES)))
