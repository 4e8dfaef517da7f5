"""Times and ids."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.producers.stamps import TimeText, uuid7_text

_MOMENTS = st.integers(0, 4_000_000_000_000_000_000)


@st.composite
def near_each_other(draw: st.DrawFn) -> list[int]:
    """Some within one millisecond, some just across its ends, also backwards."""
    start = draw(_MOMENTS)
    return [start + step for step in draw(st.lists(st.integers(0, 3_000_000), min_size=1))]


@given(st.lists(_MOMENTS, min_size=1) | near_each_other())
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


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400)), min_size=1, max_size=40))
def test_ids_are_in_the_order_in_which_a_process_made_them(turns: list[tuple[int, int]]) -> None:
    """Whichever threads made them: what failed to arrive is put into its order by its ids."""
    ids: list[str] = []
    pools = [ThreadPoolExecutor(1) for _ in range(4)]
    for thread, count in turns:
        pools[thread].submit(lambda count=count: ids.extend(uuid7_text() for _ in range(count))).result()
    for pool in pools:
        pool.shutdown()
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_ids_that_threads_make_at_once_are_in_the_order_of_each() -> None:
    made: list[list[str]] = [[] for _ in range(4)]
    handed: list[str] = []
    turn = threading.Lock()

    def make(ids: list[str]) -> None:
        for _ in range(3_000):
            ids.append(uuid7_text())
            with turn:
                handed.append(uuid7_text())

    threads = [threading.Thread(target=make, args=(ids,)) for ids in made]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert all(ids == sorted(ids) for ids in made)
    assert handed == sorted(handed), "what one thread made after another is greater"


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
