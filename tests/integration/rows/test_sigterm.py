"""SIGTERM. (A handler that is at work is let finish, and groups are left: integration/test_signals.py.)"""

from __future__ import annotations

import signal

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from integration.rows.conftest import Place
from integration.rows.till import Placed
from support.waiting import eventually


def test_a_batch_is_cut_the_group_is_left_and_the_exit_code_is_0(stand: Place) -> None:
    till = stand(partitions=1)
    till.announce(*(Placed(k=f"k{n}", n=n, asks="sleep" if n else "wait") for n in range(40)))
    brief = {"ROWS_SECONDS": "0.2"}
    listening = till.listen("rows.placed", env=brief)
    eventually((till.folder / "inside").exists, 60)
    listening.send(signal.SIGTERM)
    (till.folder / "go").touch()
    assert listening.wait() == 0, listening.output()
    assert "the batch was cut after" in listening.output()
    assert till.count() < 40
    name = till.group("rows.placed")
    admin = AdminClient({"bootstrap.servers": till.kafka})
    found = admin.describe_consumer_groups([name])[name].result(20)
    assert (found.state, list(found.members)) == (ConsumerGroupState.EMPTY, [])

    again = till.listen("rows.placed", env=brief)
    till.until_handled(range(40), "place", "pack")
    assert again.stop() == 0
