"""Something to do when this process ends, whatever kind of process it is."""

import atexit
from collections.abc import Callable
from multiprocessing import parent_process, util


def at_exit(what: Callable[[], None]) -> None:
    """Call `what` when this process ends, or a process forked from it.

    A process that multiprocessing forked skips atexit and runs its own finalizers.
    """
    atexit.register(what)
    util.register_after_fork(what, _finalize)
    if parent_process() is not None:
        _finalize(what)


def never_mind(what: Callable[[], None]) -> None:
    """Do not call `what` at exit any more."""
    atexit.unregister(what)


def _finalize(what: Callable[[], None]) -> None:
    util.Finalize(None, what, exitpriority=0)
