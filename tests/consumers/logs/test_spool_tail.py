"""The last lines of a spool are found from its end, whatever its segments are."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("cut", [0, 30, None])
def test_at_a_hole_it_says_so_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int | None
) -> None:
    """In a copy of which a segment, or the end of one, is missing."""
    with closing(Writer(tmp_path / "t", "t", segment_bytes=1)) as writer:
        for number in range(4):
            writer.append(event(number, 1))
    torn = sorted((tmp_path / "t").glob("*.ndjson"))[1]
    content = torn.read_bytes()
    torn.unlink()
    if cut is not None:
        torn.write_bytes(content[:cut])
    tail = SpoolTail(lambda: found_in([tmp_path], "t"), {"t"}, sleep=lambda _seconds: None)
    (partition,) = tail.ends()
    tail.follow({partition: 0})
    found = [*tail.poll(1.0), *tail.poll(1.0), *tail.poll(0.0), *tail.poll(0.0)]
    wanted = ["0", "2", "3"]
    assert [one.event_id for one in passing(found, Wanted())] == wanted
    assert tail.is_at_end
    assert len(caplog.messages) == 1
    assert f"reading goes on at {2 * len(content)}" in caplog.messages[0]
    assert [one.event_id for one in last(tail, 9, Wanted())[0]] == wanted
    assert tail.at(0.0) == {partition: 4 * len(content)}  # they have no times
    tail.close()
