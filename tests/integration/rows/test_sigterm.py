"""SIGTERM. (A handler that is at work is let finish, and groups are left: integration/test_signals.py.)"""

from __future__ import annotations

import signal

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from integration.rows.conftest import Place
from integration.rows.scripted_app import Placed
from support.waiting import eventually


def test_a_batch_is_cut_the_group_is_left_and_the_exit_code_is_0(running_app: Place) -> None:
    scripted_app = running_app(partitions=1)
    scripted_app.announce(*(Placed(k=f"k{n}", n=n, asks="sleep" if n else "wait") for n in range(40)))
    brief = {"ROWS_SECONDS": "0.2"}
    listening = scripted_app.listen("rows.placed", env=brief)
    eventually((scripted_app.folder / "inside").exists, 60)
    listening.send(signal.SIGTERM)
    (scripted_app.folder / "go").touch()
    assert listening.wait() == 0, listening.output()
    assert "the batch was cut after" in listening.output()
    assert scripted_app.count() < 40
    name = scripted_app.group("rows.placed")
    admin = AdminClient({"bootstrap.servers": scripted_app.kafka})
    found = admin.describe_consumer_groups([name])[name].result(20)
    assert (found.state, list(found.members)) == (ConsumerGroupState.EMPTY, [])

    again = scripted_app.listen("rows.placed", env=brief)
    scripted_app.until_handled(range(40), "place", "pack")
    assert again.stop() == 0
