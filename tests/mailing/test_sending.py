"""Sending: in turn, each on its own, with what the server says."""

from __future__ import annotations

import threading
from collections import Counter

from mailing.conftest import Open
from oyez.consumers.mailing.sending import Tally

SIZE, RUN = 400, 100


def test_2000_mails_are_sent_in_four_runs(desk: Open) -> None:
    one = desk()
    one.queue(range(SIZE))
    runs = []
    while not (tally := one.run(RUN)).is_empty:
        runs.append(tally.sent)
        one.clock.now += 300
    assert runs == [RUN] * 4
    assert set(one.server.inbox.times().values()) == {1}
    assert len(one.server.inbox) == SIZE
    assert one.server.inbox.connections == 4
    assert one.states() == {"sent": SIZE}


def test_three_senders_at_once_send_nothing_twice(desk: Open) -> None:
    one = desk()
    one.queue(range(SIZE))
    tallies = [Tally() for _ in range(3)]

    def work(tally: Tally) -> None:
        for _ in range(4):
            mine = one.run(RUN)
            tally.sent += mine.sent

    threads = [threading.Thread(target=work, args=[tally]) for tally in tallies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(tally.sent for tally in tallies) == SIZE
    assert len(one.server.inbox.times()) == len(one.server.inbox) == SIZE
    assert one.states() == {"sent": SIZE}


def test_one_bad_address_never_stops_the_rest(desk: Open) -> None:
    one = desk()
    one.queue(range(SIZE))
    refusals = Counter({"u70@a.example": 3})

    def refuse(address: str) -> str | None:
        if address == "u7@a.example":
            return "550 5.1.1 no such user here"
        if refusals[address] > 0:
            refusals[address] -= 1
            return "451 4.7.1 come back later"
        return None

    one.server.inbox.on_rcpt = refuse
    runs = [one.run(RUN)]
    for _ in range(9):
        one.clock.now += 300
        runs.append(one.run(RUN))
    assert [tally.sent for tally in runs][:4] == [RUN - 2, RUN - 1, RUN - 1, RUN]
    assert sum(tally.sent for tally in runs) == SIZE - 1
    assert sum(tally.delayed for tally in runs) == 3
    assert one.states() == {"sent": SIZE - 1, "failed": 1}
    failed = one.row(7)
    assert (failed.state, failed.error) == ("failed", "u7@a.example: 550 5.1.1 no such user here")
    assert one.row(70).attempts == 4
    assert len(one.server.inbox.times()) == len(one.server.inbox) == SIZE - 1
