"""The event loop that an object belongs to."""

from __future__ import annotations

import asyncio
import threading

from .errors import OtherLoop


class OwnLoop:
    """The loop in which its object was made, else the first in which it is used."""

    def __init__(self) -> None:
        self._binding = threading.Lock()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def here(self) -> asyncio.AbstractEventLoop:
        """The running loop. OtherLoop: it is another one."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._bind(loop)
        return loop

    def forget(self) -> None:
        """Begin again, as a forked child does: the loop is its parent's."""
        self._binding = threading.Lock()
        self._loop = None

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._binding:
            if self._loop is None:
                self._loop = loop
            if self._loop is not loop:
                raise OtherLoop(
                    "this AsyncAnnouncer belongs to another event loop; make one in each loop: "
                    "async with AsyncAnnouncer.from_settings() as announcer"
                )
