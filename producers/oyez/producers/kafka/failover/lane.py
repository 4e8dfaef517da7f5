"""One topic on its way out: where its events go, and its log in the spool."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import TransportRefused
from ...loggers import logger_named
from ...spool.folder import SpoolError
from ...spool.unforced import unforced
from ...spool.writer import Writer
from ...spool_shipping.mark import Mark
from .outlet import Outlet
from .states import NEXT, State

log = logger_named("oyez.spool")


class Lane:
    """The state of a topic in this process. It is changed under the failover's lock, and read without."""

    def __init__(self, topic: str, writer: Writer, outlet: Outlet) -> None:
        """It begins with its log, which may have something of a process that was here before."""
        self.topic = topic
        self.outlet = outlet
        """The producer that is used while the lane is direct."""
        self.state = State.SPOOLING
        self.epoch = 0
        """Which stretch of DIRECT this is, numbered from 1; 0 in every other state."""
        self._writer = writer
        self._has_spooled = True

    def to(self, state: State, epoch: int = 0) -> None:
        """Go on to another state."""
        assert state in NEXT[self.state], f"{self.topic}: from {self.state} to {state}"
        self.state, self.epoch = state, epoch
        if state is State.LEAVING:
            self._has_spooled = False

    def has_backlog(self) -> bool:
        """Whether its log has something that was not shipped: from a process that was here before."""
        path = self._writer.path
        if not path.exists():
            return False
        try:
            return not self._is_shipped(self._writer.end())
        except (OSError, SpoolError) as error:
            log.error("the spool %s cannot be read: %s; events go to the broker", path, error)
            return False

    def append(self, value: bytes) -> bool:
        """Append an event, unless all is shipped; whether it was appended. Decided under the lock for appending.

        The first one since the lane was left is appended in any case, if nothing was yet: that something was shipped
        says that the broker is there. TransportRefused: it could not be appended.
        """
        if not self._has_spooled:
            if why := self.append_all([value]):
                raise TransportRefused(why)
            return True
        try:
            return self._writer.append_unless(self._is_shipped, _line(value))
        except (OSError, SpoolError) as error:
            raise TransportRefused(self._why(error)) from error

    def append_all(self, values: Sequence[bytes]) -> str | None:
        """Append events; why they could not be, None if they were."""
        try:
            self._writer.append_all([_line(value) for value in values])
        except (OSError, SpoolError) as error:
            return self._why(error)
        self._has_spooled = True
        return None

    def flush(self) -> str | None:
        """Force to disk what was left for later; why it could not be, None if it was."""
        return unforced(self._writer.path, self._writer.flush)

    def close(self) -> str | None:
        """Force to disk what is to be, and let go of the files; why something could not be forced, None if all was."""
        return unforced(self._writer.path, self._writer.close)

    def _is_shipped(self, end: int) -> bool:
        return (Mark(self._writer.path, self._writer.log_id).read() or 0) == end

    def _why(self, error: OSError | SpoolError) -> str:
        said = (
            f"the spool {self._writer.path}: {error.strerror}" if isinstance(error, OSError) else str(error)
        )
        return f"the broker is away, and {said}; nothing was recorded"


def _line(value: bytes) -> bytes:
    """JSON of another maker may have line feeds between its members."""
    return value.replace(b"\n", b" ")
