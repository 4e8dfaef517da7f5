"""What whoever starts a command has done to its signals does not count."""

from __future__ import annotations

import signal

import psutil
import pytest

from consumers.cli.running import Shop
from support.waiting import eventually

ENDING = {signal.SIGTERM, signal.SIGINT}


def ignoring_children() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def blocking() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def ignoring() -> None:
    for kind in ENDING:
        signal.signal(kind, signal.SIG_IGN)


@pytest.fixture
def shop(spooled_shop: Shop) -> Shop:
    spooled_shop.print("db", "upgrade")
    return spooled_shop


def test_a_worker_that_died_is_started_again_though_children_were_ignored(shop: Shop) -> None:
    with shop.running("listen", "cli.ticked", before=ignoring_children) as listening:
        eventually(lambda: listening.said().count("worker started") == 1, timeout=60)
        (worker,) = psutil.Process(listening.process.pid).children()
        worker.kill()
        eventually(lambda: listening.said().count("worker started") == 2, timeout=60)
        assert "ended with signal SIGKILL" in listening.said()
        assert listening.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("before", [blocking, ignoring])
def test_sigterm_ends_it(before: object, shop: Shop) -> None:
    with shop.running("sweep", "--every", "0.1", before=before) as sweeping:  # type: ignore[arg-type]
        eventually(lambda: "sweeping every" in sweeping.said(), timeout=60)
        assert sweeping.end(signal.SIGTERM) == 0
