"""A worker over a real Kafka that rested while one of its lanes wanted quiet."""

from __future__ import annotations

from integration.deployment import Deployment
from integration.stepped_workers import Workers
from integration.test_positions import reading
from oyez.consumers.instrumentation.emitter import logging_instrument
from oyez.consumers.lanes.lanes import Lanes
from oyez.consumers.worker.retry_loop import RetryLoop

RESTS = 3
"""Shorter, all of them, than its watchdog waits."""


def lanes_of(group: str) -> Lanes:
    """Lanes in which nothing runs."""
    return Lanes(lambda _: [], RetryLoop(group, logging_instrument()), group=group, grace=0.0)


def test_after_a_quiet_everything_is_read_on(tickers: Workers, deployment: Deployment) -> None:
    member = reading(tickers)
    lanes = lanes_of(member.group.name)
    member.worker._lanes = lanes
    deployment.tick(0, 1)
    tickers.until(lambda: tickers.ticks() == [1])

    assert lanes._quiet.take()
    for _ in range(RESTS):
        tickers.step()
    (one, *_) = [p for p in member.log.positions() if p.number == 1]
    member.log.start({one: 0})  # as one is that is dealt meanwhile
    for number in range(4):
        deployment.tick(number, 10 + number)
    for _ in range(RESTS):
        tickers.step()
    lanes._quiet.give_back()

    tickers.until(lambda: len(tickers.ticks()) == 5)
    assert sorted(tickers.ticks()) == [1, 10, 11, 12, 13]
