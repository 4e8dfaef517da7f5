"""Counts of what an operation does, which add up over its steps."""

from __future__ import annotations

from typing import Self


class Counts:
    """A dataclass of counts and lists; and of what is true once it is true of one step."""

    def add(self, more: Self) -> None:
        """Add what another step did."""
        for name, value in vars(more).items():
            mine = getattr(self, name)
            setattr(self, name, mine or value if isinstance(value, bool) else mine + value)
