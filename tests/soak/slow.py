"""Handlers that take seconds, in batches that would take many times as long as the group waits for a poll."""

from __future__ import annotations

import time

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import Placed
from soak.figures import Figures, judged, overtaken

OPTIONS = {"max.poll.interval.ms": 10_000}


class Membership:
    """Who is in a group, as its broker says."""

    def __init__(self, scripted_app: RunningApp) -> None:
        self._admin = AdminClient({"bootstrap.servers": scripted_app.kafka})
        self._name = scripted_app.group("rows.placed")
        self._settled: set[str] = set()
        self.changes = 0

    def look(self) -> set[str]:
        """The members while the group is not rebalancing, else nobody."""
        found = self._admin.describe_consumer_groups([self._name])[self._name].result(20)
        stable = found.state == ConsumerGroupState.STABLE
        return (
            {member.member_id for member in found.members if member.assignment.topic_partitions}
            if stable
            else set()
        )

    def settle(self, count: int) -> bool:
        """Whether it has so many members; they are to stay."""
        try:
            self._settled = self.look()
        except KafkaException:
            return False  # the broker has only just started
        return len(self._settled) == count

    def watch(self) -> None:
        """Note whether anything is different."""
        self.changes += self.look() != self._settled


def slow_handlers(
    scripted_app: RunningApp, *, events: int, workers: int, seconds: float, timeout: float
) -> Figures:
    """No rebalance while they work, and each event once. The application must have `OPTIONS`, and a partition for each
    worker."""
    numbers = range(events)
    listening = scripted_app.listen("rows.placed", workers=workers, env={"ROWS_SECONDS": str(seconds)})
    group = Membership(scripted_app)
    epochs: list[object] = []

    def is_settled() -> bool:
        before, epochs[:] = list(epochs), scripted_app.rows("position", "partition", "epoch", "owner")
        owners = set(scripted_app.rows("position", "owner"))
        return epochs == before and group.settle(workers) and len(owners) == workers

    scripted_app.until(is_settled, every=1.0)
    began = time.monotonic()
    scripted_app.announce(*(Placed(k=f"k{n}", n=n, asks="sleep") for n in numbers))

    def is_done() -> bool:
        group.watch()
        return scripted_app.count("place") >= events and scripted_app.count("pack") >= events

    scripted_app.until(is_done, timeout, 0.3)
    values = {
        "events": events,
        "each": seconds,
        "workers": workers,
        "cuts": listening.output().count("the batch was cut"),
        "rebalances": group.changes,
        "taken again": sorted(
            set(scripted_app.rows("position", "partition", "epoch", "owner")) - set(epochs)
        ),
        "handled once": sorted(scripted_app.effects("place"))
        == sorted(scripted_app.effects("pack"))
        == list(numbers),
        "overtaken": overtaken((n, n) for n in scripted_app.effects("place")),
        "seconds": round(time.monotonic() - began, 1),
        "left": scripted_app.left(),
        "exit": listening.stop(),
    }
    must = {"handled once": True, "taken again": []}
    return judged("slow handlers", values, rebalances=0, overtaken=0, left=0, exit=0, **must)
