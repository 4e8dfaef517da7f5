"""What a forked child must do before anything else."""

import os
import weakref
from collections.abc import Callable
from typing import Any


def call_in_child(method: Callable[[], None]) -> None:
    """Call a bound method in every process forked from this one, as long as its object lives."""
    known: weakref.WeakMethod[Callable[[], Any]] = weakref.WeakMethod(method)

    def call() -> None:
        if (alive := known()) is not None:
            alive()

    os.register_at_fork(after_in_child=call)
