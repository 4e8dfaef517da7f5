"""That there is nothing to do is believed only of the broker, asked itself."""

from __future__ import annotations

import logging

import pytest

from consumers.logs.contract_logs import Reading
from consumers.logs.stall_watching import P, Stalling, Turned, Watching
from oyez.consumers.logs.kafka.member import KafkaLog
from oyez.consumers.logs.kafka.membership import Membership
from oyez.consumers.logs.kafka.stalls import SILENT
from oyez.consumers.logs.log import DONE, Standing
from support.services import make_topic, unique
from support.waiting import eventually


def test_that_there_is_nothing_is_believed_of_the_broker_alone() -> None:
    watching = Watching({P: 4})
    standing = watching.stalls.standings.last
    watching.looks({P: 4}, 2)
    assert standing() == DONE
    watching.broker.says[P] = 9
    watching.look({P: 4})
    watching.look({P: 4})
    assert standing() == Standing("more", "t partition 0 has records from 4 to 9")
    watching.broker.says.clear()
    assert [watching.look({P: 4}) and standing() for _ in range(2)] == [[], []]
    assert standing().said == "more", "what was said is believed for a while"
    watching.looks({P: 4}, 4)
    assert standing().said == "silent"


def test_what_nobody_can_read_is_nothing_but_only_if_another_client_was_told_so() -> None:
    watching = Watching({P: 9})
    watching.broker.unreadable.add(P)
    watching.looks({P: 4}, SILENT + 1)
    assert watching.stalls.standings.last() == DONE
    watching.broker.unreadable.clear()
    watching.broker.unanswered.add(P)
    watching.looks({P: 4}, 5)
    assert watching.stalls.standings.last().said == "silent"


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (Membership(True, 0), "done"),
        (Membership(True, 2), "more"),
        (Membership(False, 0), "outside"),
        (Membership(True, 0, "its partitions are being dealt"), "outside"),
        (None, "silent"),
    ],
)
def test_a_member_that_reads_nothing_is_what_the_broker_says_of_it(
    member: Membership | None, said: str
) -> None:
    watching = Watching({})
    watching.broker.member = member
    watching.looks({}, 4)
    assert watching.stalls.standings.last().said == said


def test_the_client_that_stalls_does_not_hide_what_the_broker_has(stalling: Stalling) -> None:
    stalling.announce()
    stalling.reading.until(stalling.is_read)
    stalling.remedies(lambda: stalling.log.standing() == DONE)
    stalling.clients.stall("restart")
    stalling.announce()
    stalling.remedies(lambda: stalling.log.standing().said == "more")
    assert sum(stalling.log.lags().values()) == 0, "the client shows nothing"


def test_members_that_have_partitions_and_one_that_gets_none(kafka: str) -> None:
    topic, group = make_topic(kafka, unique("one"), 1), unique("two")
    clocks = [Turned(), Turned()]
    logs = [
        KafkaLog(
            group, [topic], servers=kafka, options={}, logger=logging.getLogger("test.kafka"), clock=clock
        )
        for clock in clocks
    ]
    reading = Reading(*logs)

    def both() -> list[str]:
        reading.turn()
        for log, clock in zip(logs, clocks, strict=True):
            clock.now += 0.1
            log.look_for_stalls()
        return [log.standing().said for log in logs]

    eventually(lambda: both() == ["done", "done"], 60)
    assert sorted(len(log.positions()) for log in logs) == [0, 1]
    for log in logs:
        log.close()
