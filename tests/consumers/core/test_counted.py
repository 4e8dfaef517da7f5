"""Counts as they are shown."""

from __future__ import annotations

import pytest

from oyez.consumers.core.counted import measured


@pytest.mark.parametrize(
    ("count", "unit", "said"),
    [
        (None, "bytes", "unknown"),
        (None, None, "unknown"),
        (3_400_000, "records", 3_400_000),
        (0, "bytes", "0 bytes"),
        (999, "bytes", "999 bytes"),
        (1_000, "bytes", "1.0 kB"),
        (999_949, "bytes", "999.9 kB"),
        (999_950, "bytes", "1.0 MB"),
        (3_400_000, "bytes", "3.4 MB"),
        (5_000_000_000_000, "bytes", "5.0 TB"),
    ],
)
def test_bytes_have_a_unit(count: int | None, unit: str | None, said: str | int) -> None:
    assert measured(count, unit) == said
