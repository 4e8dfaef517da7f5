"""The visitor session that is bound, and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context

from oyez.producers import visitor_session
from producers.shop import Ticked, events_in, memory_announcer


def test_a_session_of_none_unbinds_what_is_bound_around_it() -> None:
    announcer, broker = memory_announcer()
    with visitor_session("bound"):
        with visitor_session(None):
            announcer.announce(Ticked())
        announcer.announce(Ticked())
    with visitor_session(None):
        announcer.announce(Ticked(), key="given")
    assert [event.key for event in events_in(broker)] == [None, "bound", "given"]


def test_a_generator_that_is_closed_in_another_context_leaves_what_is_bound_there() -> None:
    def bound() -> Iterator[None]:
        with visitor_session("gone"):
            yield

    announcer, broker = memory_announcer()
    generator = bound()
    copy_context().run(next, generator)
    with visitor_session("here"):
        generator.close()
        announcer.announce(Ticked())
    assert [event.key for event in events_in(broker)] == ["here"]
