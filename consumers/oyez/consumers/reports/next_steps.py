"""What would release a delivery: the next thing to do, or to wait for."""

from __future__ import annotations

import shlex

from .explaining import Explanation, Part
from .tracing import Trace, TracedPrerequisite


def way_out(of: Explanation, part: Part) -> str | None:
    """One line; None for what is done."""
    event = _named(of.event_id, part.handler)
    if part.is_unregistered and part.state != "expired":
        command = "dead" if part.state == "dead" else "retry"
        return f"nothing: there is no handler {part.handler} any more; oyez {command} discard {event}"
    if part.paused is not None:
        return part.paused.resumed_by
    if part.lane is not None:
        return "a lane that is free" if part.lane == "waits" else "its lane, which runs it or is about to"
    if part.waits_for is not None and part.state == "waiting":
        return _of_prerequisite(part.waits_for, event)
    if part.state == "behind":
        return "the next sweep: it is behind nothing any more" if part.first is None else _end_of(part.first)
    simple = {
        "due": "its next attempt, by a worker or oyez sweep",
        "dead": f"oyez dead retry {event}",
        "expired": "nothing: its event has expired, and no handler is given it any more",
        "not read": f"a worker of {part.group}, when it reads it",
    }
    return simple.get(part.state)


def after_expiry(of: Explanation, part: Part) -> str | None:
    """What it means for others that a delivery has expired, in one line; None for any other."""
    if part.state != "expired":
        return None
    goes_on = "later events of its key go on" if of.key else "nothing was behind it"
    if of.meets is None or of.meets.met:
        return goes_on
    named = shlex.join([of.meets.signal, of.meets.subject])
    return (
        f"{goes_on}; what waits for {of.meets.signal} {of.meets.subject!r} is not released by it, but by another such "
        f"event or by oyez met {named}; else it dies of waiting"
    )


def _of_prerequisite(prerequisite: TracedPrerequisite, event: str) -> str:
    if prerequisite.met:
        return f"oyez retry release {event}: the prerequisite is met"
    if not prerequisite.in_the_way:
        groups = ", ".join(prerequisite.groups) or "some group"
        return f"an event {prerequisite.signal} {prerequisite.subject!r}, handled by {groups}"
    first = prerequisite.in_the_way[0]
    if first.state == "dead":
        return f"oyez dead retry {_named(first.event_id, first.handler)}, or discard it"
    return _end_of(first)


def _end_of(delivery: Trace) -> str:
    return f"the end of {delivery.event_id}, which is {delivery.state}; oyez explain {shlex.quote(delivery.event_id)}"


def _named(event_id: str, handler: str | None) -> str:
    named = f"--id {shlex.quote(event_id)}"
    return f"{named} --handler {shlex.quote(handler)}" if handler else named
