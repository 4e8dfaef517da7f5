"""How others choose partitions, told by what they have chosen."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oyez.consumers.partitions.partitioners import (
    KNOWN,
    NO_KEY,
    OTHER_KEY,
    OTHERWISE,
    Placed,
    advice_for,
    fnv1a,
    was_resized,
)
from oyez.producers.partitioning import partition_of

KEYS = [f"session-{n}".encode() for n in range(100)]


def placed_by(choose: object, partitions: int = 6) -> list[Placed]:
    return [Placed(key, key, choose(key, partitions), partitions) for key in KEYS]  # type: ignore[operator]


@pytest.mark.parametrize(("key", "value"), [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)])
def test_fnv1a_as_its_authors_publish_it(key: bytes, value: int) -> None:
    assert fnv1a(key) == value


@pytest.mark.parametrize("known", KNOWN, ids=[known.advice.split()[1] for known in KNOWN])
def test_each_known_partitioner_is_told(known: object) -> None:
    seen = placed_by(known.choose)  # type: ignore[attr-defined]
    assert any(one.is_elsewhere for one in seen)
    assert not was_resized(seen)
    assert advice_for(seen) == known.advice  # type: ignore[attr-defined]


def test_what_is_dealt_in_turn() -> None:
    seen = [Placed(b"k", b"k", n % 6, 6) for n in range(12)]
    assert (advice_for(seen), was_resized(seen)) == (OTHERWISE, False)


def test_records_without_a_key_or_with_another_one() -> None:
    assert advice_for([Placed(b"k", None, n % 6, 6) for n in range(12)]) == NO_KEY
    other = [Placed(key, b"7", partition_of(b"7", 6), 6) for key in KEYS]
    assert advice_for(other) == OTHER_KEY


@given(st.sets(st.binary(max_size=20), min_size=1), st.integers(1, 20), st.integers(1, 20))
def test_what_was_there_before_partitions_were_added_is_nobodys_fault(
    keys: set[bytes], before: int, after: int
) -> None:
    assume(before != after)
    old = [Placed(key, key, partition_of(key, before), after) for key in sorted(keys)[::2]]
    new = [Placed(key, key, partition_of(key, after), after) for key in sorted(keys)[1::2]]
    assert was_resized([*old, *new])
