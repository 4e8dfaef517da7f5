"""While something takes long: how far it is, how fast it goes, and for how long it will go on.

Only on a terminal, and only once it has taken two seconds.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AFTER = 2.0  # s
EVERY = 0.2  # s
DUMB = ("dumb", "unknown")  # terminals on which nothing can be drawn


class Counter:
    """How much is done. It is called with how much more; ``what`` is what is being done."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._done = 0

    def __call__(self, more: int) -> None:
        self._done += more

    def done(self) -> int:
        """All so far."""
        return self._done


@contextmanager
def progress(
    what: str, total: int | None, *, hidden: bool = False, after: float = AFTER
) -> Iterator[Counter]:
    """Shows how many of ``total`` are settled; the counter is told how many more are. None: how many there are is not
    known. ``hidden``: data are printed meanwhile, or are JSON. ``after``: seconds until it is shown."""
    counter = Counter(what)
    with counted(counter, total, counter.done, hidden=hidden, after=after):
        yield counter


@contextmanager
def counted(
    what: str | Counter,
    total: int | None,
    done: Callable[[], int],
    *,
    hidden: bool = False,
    after: float = AFTER,
) -> Iterator[None]:
    """The same of what is counted anyway: ``done`` is asked for it, by another thread."""
    if hidden or not _is_seen():
        yield
        return
    counter = Counter(what) if isinstance(what, str) else what
    ended = threading.Event()
    showing = threading.Thread(target=_show, args=(counter, total, done, ended, after), daemon=True)
    showing.start()
    try:
        yield
    finally:
        ended.set()
        showing.join()


def _show(
    counter: Counter, total: int | None, done: Callable[[], int], ended: threading.Event, after: float
) -> None:
    if ended.wait(after):
        return
    from .progress_bar import bar  # noqa: PLC0415 # rich is for terminals alone, and for what takes long

    with bar(counter.what, done(), total, after) as update:
        while not ended.wait(EVERY):
            update(counter.what, done())


def _is_seen() -> bool:
    """Whether somebody sees it, and it comes between no lines of data: these may go into a file meanwhile."""
    if not sys.stderr.isatty() or os.environ.get("TERM") in DUMB:
        return False
    try:
        return sys.stdout.isatty() or stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # it is closed, or no file
        return False
