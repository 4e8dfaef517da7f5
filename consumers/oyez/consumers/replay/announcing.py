"""Announcing stored events to all that listen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oyez.producers.ordered_sender import OrderedSender, Outgoing, WholeOrder
from oyez.schemas import OyezError

from .choosing import Picked
from .identity import Identity


class NotAnnouncedAgain(OyezError):
    """The transport did not take an event. ``arrived`` counts those of the step that it took before."""

    def __init__(self, reason: str, arrived: int) -> None:
        super().__init__(reason)
        self.arrived = arrived


class Announcing:
    """Hands events to a transport, in order, and waits until each step has arrived: ``timeout`` seconds at most."""

    def __init__(
        self,
        sender: OrderedSender,
        topic_of: Callable[[Picked], str],
        identity: Identity,
        *,
        timeout: float,
    ) -> None:
        self._sender = sender
        self._topic_of = topic_of
        self._identity = identity
        self._timeout = timeout

    def step(self, some: Sequence[Picked]) -> int:
        """Announce them; how many. Raises `NotAnnouncedAgain`: nothing after the first that failed counts."""
        sent = self._sender.send([self._outgoing(one) for one in some], WholeOrder(), self._timeout).leading()
        if sent.count < len(some):
            raise NotAnnouncedAgain(sent.reason or "it did not arrive", sent.count)
        return sent.count

    def _outgoing(self, one: Picked) -> Outgoing:
        key = one.kept.key if one.event.key is None else one.event.key.encode()
        return Outgoing(self._topic_of(one), key, one.again(self._identity(one.event)))
