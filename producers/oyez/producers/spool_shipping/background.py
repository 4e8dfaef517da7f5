"""A thread of an announcing process that ships the spool."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..loggers import logger_named
from ..pass_thread import Next, PassThread
from .spool_shipper import SpoolShipper

log = logger_named("oyez.spool")

_EVERY = 1.0  # s
_IDLE = 30.0  # s
_CLOSING = 1.0  # s


class _ShippingPasses:
    """Passes over the spool. The connection is let go of when nothing was shipped for a while."""

    def __init__(self, shipper: SpoolShipper, timer: Callable[[], float]) -> None:
        self._shipper = shipper
        self._timer = timer
        self._busy = timer()

    def run(self, stop: Callable[[], bool], is_last: bool, /) -> Next:
        """Ship what is there. The last pass is repeated as long as something leaves, though something is in the way."""
        try:
            done = self._shipper.run(stop)
        except Exception:
            log.exception("the spool was not shipped; it is tried again")
            self._busy = self._timer()
            return Next(pause=_EVERY)
        if done.shipped or done.stuck:
            self._busy = self._timer()
        elif self._timer() - self._busy > _IDLE:
            self._shipper.rest()
        return Next(pause=_EVERY if done.stuck else 0.0, is_done=not (done.shipped and done.stuck))

    def close(self) -> None:
        self._shipper.close(_CLOSING)


def shipping_thread(
    make: Callable[[], SpoolShipper], *, timer: Callable[[], float] = time.monotonic
) -> PassThread:
    """Ships, from the first time on that it is woken, and looks once a second: other processes append too. ``timer``
    gives seconds."""
    return PassThread("oyez-spool-shipping", lambda: _ShippingPasses(make(), timer), every=_EVERY)
