"""The last lines of a spool are found from its end, whatever its segments are."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.consumers.logs.spool.tail import SpoolTail
from oyez.consumers.reports.passing import Wanted, last, passing
from oyez.producers.spool import Writer, found_in

LONG = 80_000
"""More than a block that is read at a time."""


def event(number: int, size: int) -> bytes:
    key = f"k{number % 3}"
    head = f'{{"specversion":"1.0","type":"t","source":"s","id":"{number}","partitionkey":"{key}",'
    return f'{head}"data":{{"text":"{"x" * size}"}}}}'.encode()


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from([0, 1, 50, LONG]), max_size=12),
    st.integers(1, 200_000),
    st.integers(1, 14),
    st.sampled_from([None, "k0", "k2", "none"]),
)
def test_the_last_of_a_spool_are_those_at_its_end(
    sizes: list[int], segment: int, count: int, key: str | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / "t", "t", segment_bytes=segment)
        for number, size in enumerate(sizes):
            writer.append(event(number, size))
        writer.close()
        tail = SpoolTail(lambda: found_in([Path(folder)], "t"), {"t"})
        found, begins = last(tail, count, Wanted(key=key))
        ends = {partition: ends.high for partition, ends in tail.ends().items()}
        tail.close()
    wanted = [str(n) for n in range(len(sizes)) if key is None or key == f"k{n % 3}"]
    assert [one.event_id for one in found] == wanted[-count:]
    assert begins == ends


def test_a_folder_that_comes_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    """There is nothing yet when it begins: no event is missed, and none is given twice."""
    now = itertools.count(step=0.6)  # each look at the clock is later by so much
    tail = SpoolTail(
        lambda: found_in([tmp_path], "t"), {"t"}, clock=lambda: next(now), sleep=lambda _seconds: None
    )
    tail.follow({partition: ends.high for partition, ends in tail.ends().items()})
    assert (list(tail.poll(1.0)), tail.is_at_end) == ([], True)
    with closing(Writer(tmp_path / "t", "t")) as writer:
        for number in range(3):
            writer.append(event(number, 1))
        found = [*tail.poll(3.0), *tail.poll(3.0)]
    assert [one.event_id for one in passing(found, Wanted())] == ["0", "1", "2"]
    tail.close()
