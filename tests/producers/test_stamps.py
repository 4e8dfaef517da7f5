"""Times and ids."""

import os
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from oyez.producers.stamps import TimeText, uuid7_text


@given(st.lists(st.integers(0, 4_000_000_000_000_000_000), min_size=1))
def test_time_text(moments: list[int]) -> None:
    write = TimeText()
    for moment in moments:
        seconds, rest = divmod(moment, 1_000_000_000)
        expected = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
        assert datetime.fromisoformat(write(moment)) == expected
        assert len(write(moment)) == 27


def test_ids_sort_by_time() -> None:
    ids = [uuid7_text() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert UUID(ids[0]).version == 7


def test_forked_siblings_make_different_ids() -> None:
    uuid7_text()
    tails = [_tail_in_child() for _ in range(50)]
    assert len(set(tails)) == 50


def _tail_in_child() -> bytes:
    """The random end of the first id that a forked child makes."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, uuid7_text()[-8:].encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        return pipe.read()
