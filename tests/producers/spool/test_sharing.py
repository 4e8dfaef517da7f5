"""One writer in many threads, and in forked processes."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from oyez.producers.spool import Writer
from oyez.producers.spool.locks import locked
from oyez.producers.spool_shipping.lock import FileLock
from producers.spool.appending import FORK, append_many, in_order, lines_of, record


def test_threads_and_processes_lose_and_mix_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t", segment_bytes=4_000)
    append_many(writer, "parent", 20)

    def work(process: int) -> None:
        threads = [
            threading.Thread(target=append_many, args=(writer, f"{process}.{n}", 200)) for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    children = [FORK.Process(target=work, args=(n,)) for n in range(3)]
    for child in children:
        child.start()
    work(99)
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    found = in_order(lines_of(tmp_path))
    assert found.pop("parent") == list(range(20))
    assert len(found) == 12
    assert all(numbers == list(range(200)) for numbers in found.values())


def test_a_fork_in_the_middle_of_an_append_holds_up_nobody(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t")
    writer.append(record("a", 0))
    with writer.held():
        child = FORK.Process(target=os._exit, args=(0,))
        child.start()
        child.join(60)
        other = FORK.Process(target=append_many, args=(writer, "child", 3))
        other.start()
    other.join(60)
    assert other.exitcode == 0
    assert in_order(lines_of(tmp_path)) == {"a": [0], "child": [0, 1, 2]}


def open_files(folder: Path) -> int:
    """How many this process has open in a folder; what else it has open may be closed at any moment."""
    count = 0
    for found in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing itself is one
            count += found.readlink().is_relative_to(folder)
    return count


def test_a_thread_that_ends_leaves_no_file_open(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t", fsync="never")
    writer.append(record("a", 0))
    before = open_files(tmp_path)
    for n in range(20):
        thread = threading.Thread(target=append_many, args=(writer, f"{n}", 2))
        thread.start()
        thread.join()
    assert open_files(tmp_path) == before
    writer.close()
    assert open_files(tmp_path) < before


def test_closing_beside_threads_that_append_loses_and_mixes_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t", fsync="never", segment_bytes=2_000)
    threads = [threading.Thread(target=append_many, args=(writer, f"{n}", 300)) for n in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        writer.close()
    found = in_order(lines_of(tmp_path))
    assert found == {f"{n}": list(range(300)) for n in range(3)}


def test_a_child_has_none_of_its_parents_files_open(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "t", "t", fsync="never")
    writer.append(record("a", 0))
    ours, theirs = FORK.Pipe()

    def look() -> None:
        files = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.exists()]
        theirs.send([file for file in files if file.startswith(str(tmp_path))])

    child = FORK.Process(target=look)
    child.start()
    assert ours.poll(20)
    assert ours.recv() == []
    child.join()


def test_what_is_let_go_of_is_free_though_a_child_has_it_open(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        child = FORK.Process(target=signal.pause)
        child.start()
    try:
        with FileLock(tmp_path / "lock").held_if_free() as is_ours:
            assert is_ours
    finally:
        child.kill()
        child.join()


def hold_and_fork(path: Path, answer: Connection) -> None:
    """One thread holds the folder while another forks."""
    writer, holds = Writer(path, "t"), threading.Event()

    def hold() -> None:
        with writer.held():
            holds.set()
            threading.Event().wait()

    threading.Thread(target=hold, daemon=True).start()
    assert holds.wait(20)
    child = os.fork()
    if child:
        answer.send(child)
    signal.pause()


def test_a_child_does_not_hold_what_a_thread_of_its_dead_parent_held(tmp_path: Path) -> None:
    ours, theirs = FORK.Pipe()
    parent = FORK.Process(target=hold_and_fork, args=(tmp_path / "t", theirs))
    parent.start()
    assert ours.poll(20)
    child = ours.recv()
    try:
        parent.kill()
        parent.join()  # with a limit it would wait for the child as well
        other = FORK.Process(target=append_many, args=(Writer(tmp_path / "t", "t"), "other", 3))
        other.start()
        other.join(60)
        assert other.exitcode == 0
    finally:
        os.kill(child, signal.SIGKILL)
        other.kill()
