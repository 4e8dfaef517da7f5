"""Failing over loses nothing silently and lets nothing overtake, whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.kafka.failover.failover_pipeline import FailoverPipeline

THREADS, TOPICS = st.sampled_from("abc"), st.sampled_from("tu")
FEW = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("announce"), THREADS, TOPICS),
    st.tuples(st.just("announce"), THREADS, TOPICS),
    st.tuples(st.just("announce"), THREADS, TOPICS),
    st.tuples(st.just("deliver"), FEW),
    st.tuples(st.just("send"), FEW),
    st.tuples(st.just("store"), FEW),
    st.tuples(st.just("fail")),
    st.tuples(st.just("fail all")),
    st.tuples(st.just("late"), FEW),
    st.tuples(st.just("silence")),
    st.tuples(st.just("look")),
    st.tuples(st.just("broker"), st.booleans()),
    st.tuples(st.just("ship"), st.one_of(st.none(), st.integers(0, 5))),
    st.tuples(st.just("flush")),
    st.tuples(st.just("full"), st.booleans()),
    st.tuples(st.just("race"), THREADS, TOPICS, st.booleans(), st.booleans()),
    st.tuples(st.just("close")),
)


def play(pipeline: FailoverPipeline, step: tuple[Any, ...]) -> None:
    """Take one step. What the broker does needs a producer, which comes with the first event."""
    match step:
        case ("announce", thread, topic):
            pipeline.announce(thread, topic)
        case ("broker", is_up):
            pipeline.broker.is_up = is_up
        case ("full", is_full):
            pipeline.is_full = is_full
        case ("ship", fails_at):
            pipeline.shipping.fails_at = fails_at
            pipeline.ship()
        case ("close",):
            pipeline.transport.close(1)
            pipeline.begin()
        case _ if pipeline.transport._outlet is not None:
            done_to_the_producer(pipeline, step)


def done_to_the_producer(pipeline: FailoverPipeline, step: tuple[Any, ...]) -> None:
    producer, (what, *given_) = pipeline.producer, step
    done: dict[str, Callable[..., object]] = {
        "deliver": producer.deliver,
        "send": producer.send,
        "store": lambda count: producer.deliver(count, acknowledge=False),
        "late": lambda count: [producer.arrive_late() for _ in range(count)],
        "fail": producer.fail,
        "fail all": producer.fail_all,
        "silence": pipeline.be_silent,
        "look": pipeline.transport.look,
        "flush": lambda: pipeline.transport.flush(0),
        "race": lambda *how: race(pipeline, *how),
    }
    done[what](*given_)


def race(pipeline: FailoverPipeline, thread: str, topic: str, is_shipped: object, is_used: object) -> None:
    """While one thread is inside `produce`, others go over to the spool; perhaps all is shipped, and used again."""

    other = "c" if thread == "a" else "a"

    def others() -> None:
        outlet = pipeline.transport._outlet
        assert outlet is not None
        pipeline.transport._go_over(outlet, "a race")
        if is_shipped:
            pipeline.shipping.fails_at = None
            pipeline.ship()
        if is_used:
            pipeline.announce(other, topic)
            pipeline.announce(other, topic)

    pipeline.producer.in_the_middle = others
    pipeline.announce(thread, topic)
    pipeline.producer.in_the_middle = None


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40), st.integers(0, 1_000))
def test_everything_arrives_in_the_order_of_each_thread(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]], seed: int
) -> None:
    pipeline = FailoverPipeline(tmp_path_factory.mktemp("spool"), seed)
    for step in steps:
        play(pipeline, step)
    pipeline.settle()
    pipeline.check()
