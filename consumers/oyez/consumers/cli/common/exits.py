"""Exit codes. Which error ends with which of them is in `reporting`."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
FOUND_PROBLEMS = 3
NOT_FOUND = 4
UNREACHABLE = 5
INTERRUPTED = 130
