"""What is made when it is first used, once for all threads."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .forks import call_in_child

Made = TypeVar("Made")


class MadeWhenUsed(Generic[Made]):
    """Calling it gives what `make` has made, at the first call. A forked child has what its parent had."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: Made | None = None
        self._making = threading.RLock()
        call_in_child(self._begin_in_child)

    def __call__(self) -> Made:
        if self._made is None:
            with self._making:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def take(self) -> Made | None:
        """What was made, if it was: whoever takes it closes it. The next call makes another one."""
        with self._making:
            made, self._made = self._made, None
        return made

    def _begin_in_child(self) -> None:
        """Some other thread may have been making it."""
        self._making = threading.RLock()
