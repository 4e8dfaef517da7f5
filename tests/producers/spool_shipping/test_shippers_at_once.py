"""Several that ship one log, those that append to it meanwhile, and those that are killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from pathlib import Path

from oyez.producers.ordered_sender import OrderedSender
from oyez.producers.spool_shipping import LogShipper, SpoolShipper
from oyez.producers.spool_shipping.lock import SHIP_LOCK, FileLock
from producers.kafka.failover.fakes import FakeBroker, FakeShipping
from producers.spool_shipping.logs_to_ship import end, marked, never, spooled, the_log
from support.waiting import eventually

FORK = multiprocessing.get_context("fork")


def test_one_process_at_a_time_ships_a_log(tmp_path: Path) -> None:
    spooled(tmp_path, 3)
    broker = FakeBroker()
    with FileLock(tmp_path / "t" / SHIP_LOCK).held():
        assert LogShipper(the_log(tmp_path)).ship(OrderedSender(FakeShipping(broker)), never) is None
    assert broker.log == []
    assert LogShipper(the_log(tmp_path)).ship(OrderedSender(FakeShipping(broker)), never) == 3


def test_a_child_that_is_forked_while_a_log_is_shipped_does_not_keep_its_lock(tmp_path: Path) -> None:
    spooled(tmp_path, 1)
    lock = FileLock(tmp_path / "t" / SHIP_LOCK)
    with lock.held():
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        os.close(reader)
        lock._close()  # as when this process dies: nobody unlocks it
        try:
            shipper, log = OrderedSender(FakeShipping(FakeBroker())), LogShipper(the_log(tmp_path))
            assert eventually(lambda: log.ship(shipper, never)) == 1
        finally:
            os.close(writer)
            os.waitpid(child, 0)


class Held(FakeShipping):
    """MOCK that notes at each delivery whether anybody could append meanwhile."""

    def __init__(self, broker: FakeBroker, path: Path) -> None:
        super().__init__(broker)
        self._lock = FileLock(path / "append.lock")
        self.could_append: list[bool] = []

    def flush(self, timeout: float) -> None:
        with self._lock.held_if_free() as is_free:
            self.could_append.append(is_free)
        super().flush(timeout)


def test_nobody_appends_while_the_last_events_are_shipped(tmp_path: Path) -> None:
    """Otherwise there would always be one more, and the end would never be reached."""
    spooled(tmp_path, 3_000, size=300, limit=10_000_000)
    shipping = Held(FakeBroker(), tmp_path / "t")
    LogShipper(the_log(tmp_path)).ship(OrderedSender(shipping), never)
    first, *middle, last = shipping.could_append
    assert first, "announcing does not wait for all of it"
    assert not last
    assert len(middle) > 1


def ship_until_killed(path: Path, out: Path) -> None:
    """Ship to a file, slowly."""

    class ToFile(FakeShipping):
        def flush(self, timeout: float) -> None:
            with out.open("ab") as file:
                for _, value in self._taken:
                    file.write(value + b"\n")
                    file.flush()
            self._taken.clear()

    spool_shipper = SpoolShipper([path], "t", lambda: OrderedSender(ToFile(FakeBroker())))
    while True:
        spool_shipper.run(never)


def test_a_shipper_that_is_killed_at_random_moments_loses_nothing_and_repeats_a_batch_at_most(
    tmp_path: Path,
) -> None:
    dice, path, out = random.Random(5), tmp_path / "spool", tmp_path / "out"
    total, kills, most = 0, 0, 1_000
    while kills < 12:
        spooled(path, 600, begin=total, limit=50_000)
        total += 600
        child = FORK.Process(target=ship_until_killed, args=(path, out))
        child.start()
        size = out.stat().st_size if out.exists() else 0
        wanted = size + dice.randrange(60_000)
        eventually(
            lambda wanted=wanted: (out.exists() and out.stat().st_size > wanted) or marked(path) == end(path),
            20,
        )
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join(60)
        kills += 1
    child = FORK.Process(target=ship_until_killed, args=(path, out))
    child.start()
    eventually(lambda: marked(path) == end(path))
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join(60)
    said = []
    for line in out.read_bytes().splitlines():
        try:
            said.append(json.loads(line)["n"])
        except ValueError:
            continue  # the beginning of a line that was being written
    assert list(dict.fromkeys(said)) == list(range(total)), "all, and each for the first time in order"
    assert len(said) - total <= kills * most
