"""How events get from announcers to groups, and from the outbox to the groups that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from oyez.producers import MemoryBroker, Transport

from ..database.clock import Clock
from ..database.engine import Database
from ..handlers.application import Group
from ..logs.log import Log
from ..logs.memory import MemoryGroup
from ..outbox.lease import NoLease
from ..outbox.relay import Relay, Relayed
from ..run.topics import readers_of, topics_of
from ..settings import ListenSettings
from .memory import Announcements, Arrived, OrderedLog, ToKit
from .orders import Arrival, Order


class Pipes(Protocol):
    """What a kit knows of its transport and its log."""

    def transport(self) -> Transport:
        """One for an announcer."""

    def announced(self) -> Sequence[Arrival]:
        """All that was announced so far, in the order of announcing. Raises ValueError where nobody knows."""

    def bring(self, order: Order) -> int:
        """Let what was announced arrive in the log. How much it is that was not brought before, handled or not."""

    def join(self, group: Group, order: Order) -> Log:
        """A member of a group, for one pass."""

    def relay(self) -> Relayed:
        """Let what stands in the outbox leave, to be brought next."""

    def close(self) -> None:
        """Let go of what was made."""


class MemoryPipes:
    """All of it in this process."""

    def __init__(
        self,
        groups: list[Group],
        settings: ListenSettings,
        database: Database,
        clock: Clock,
        shared: MemoryBroker,
    ) -> None:
        """What is announced into ``shared`` arrives too."""
        application = groups[0].application
        named = {one.topic or settings.topic for one in application.signals}
        topics = sorted({settings.topic, *named, *readers_of(application, settings)})
        self._settings = settings
        self._announcements = Announcements(shared, topics)
        self._brought = 0
        self._arrived = Arrived()
        self._members = {
            one.name: MemoryGroup(self._arrived.broker, topics_of(one, settings)) for one in groups
        }
        self._relay = Relay(database, self.transport, NoLease(), clock=clock)

    def transport(self) -> Transport:
        return ToKit(self._announcements)

    def announced(self) -> Sequence[Arrival]:
        return self._announcements.all()

    def bring(self, order: Order) -> int:
        new = self.announced()[self._brought :]
        self._brought += len(new)
        self._arrived.put(order.arranged(new))
        return len(new)

    def join(self, group: Group, order: Order) -> Log:
        members = self._members[group.name]
        member = OrderedLog(members, self._arrived.numbers, order)
        members.members.append(member)
        return member

    def relay(self) -> Relayed:
        return self._relay.run()

    def close(self) -> None:
        """Nothing was opened."""
