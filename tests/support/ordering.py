"""Files that take long come first: at the end no process works on one of them alone while the others have nothing left.

``--dist loadfile`` gives each process one file after the other, in this order with ``--no-loadscope-reorder``; on its
own it gives out those with most tests first.
"""

from __future__ import annotations

import pytest

from support.choosing import TESTS

LONGEST = (  # those that take 40 s and more, in the order of how long
    "consumers/execution/test_model.py",
    "consumers/cli/test_unreadable_spool.py",
    "consumers/cli/test_metrics.py",
    "consumers/admin/test_commands.py",
    "consumers/logs/test_contract.py",
    "consumers/cli/test_night.py",
    "test_compose.py",
    "integration/test_async_announcing.py",
)
_PLACES = {TESTS / name: place for place, name in enumerate(LONGEST)}


def longest_first(items: list[pytest.Item]) -> None:
    """Sort tests in place; those of one file, and of files that take less, stay in their order."""
    items.sort(key=lambda item: _PLACES.get(item.path, len(_PLACES)))
