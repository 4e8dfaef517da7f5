"""An at-least-once group that is renamed goes on where it was: its offsets are in Kafka, and go along."""

from __future__ import annotations

import logging

from consumers.logs.contract_logs import KafkaSetup, Reading
from oyez.consumers.logs.kafka.member import KafkaLog
from oyez.consumers.logs.kafka.offsets import KafkaOffsets
from support.services import unique


def test_what_a_group_committed_goes_with_its_name(kafka: str, topic: str):
    setup = KafkaSetup(kafka, topic, {})
    for n in range(8):
        setup.append(f"k{n}", "v")
    old = setup.join("old")
    reading = Reading(old)
    reading.until(lambda: len(reading.seen) >= 8)
    committed = {p: at for p, at in old.positions().items() if at}
    old.offsets.commit(committed, "at-least-once")
    reading.until(lambda: old.offsets.committed(list(committed)) == committed)
    setup.close()
    new = unique("renamed")
    assert KafkaOffsets(kafka, {}).copy_committed(f"{setup.prefix}.old", new) == len(committed)
    log = KafkaLog(new, [topic], servers=kafka, options={}, logger=logging.getLogger("test"))
    try:
        assert log.offsets.committed(list(committed)) == committed
    finally:
        log.close()
