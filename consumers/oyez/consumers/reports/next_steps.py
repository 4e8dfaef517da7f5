"""What would release a share: the next thing to do, or to wait for."""

from __future__ import annotations

import shlex

from .explain import Explanation, Part
from .tracing import Prerequisite, Trace


def way_out(of: Explanation, part: Part) -> str | None:
    """One line; None for what is done."""
    event = _named(of.event_id, part.handler)
    if part.is_gone:
        command = "dead" if part.state == "dead" else "retry"
        return f"nothing: there is no handler {part.handler} any more; oyez {command} discard {event}"
    if part.waits_for is not None and part.state == "waiting":
        return _of_pair(part.waits_for, event)
    if part.state == "behind":
        return "the next sweep: it is behind nothing any more" if part.first is None else _end_of(part.first)
    simple = {
        "due": "its next attempt, by a worker or oyez sweep",
        "dead": f"oyez dead retry {event}",
        "not read": f"a worker of {part.group}, when it reads it",
    }
    return simple.get(part.state)


def _of_pair(pair: Prerequisite, event: str) -> str:
    if pair.met:
        return f"oyez retry release {event}: the pair is met"
    if not pair.in_the_way:
        return f"an event {pair.signal} {pair.subject!r}, handled by {', '.join(pair.groups) or 'some group'}"
    first = pair.in_the_way[0]
    if first.state == "dead":
        return f"oyez dead retry {_named(first.event_id, first.handler)}, or discard it"
    return _end_of(first)


def _end_of(share: Trace) -> str:
    return f"the end of {share.event_id}, which is {share.state}; oyez explain {shlex.quote(share.event_id)}"


def _named(event_id: str, handler: str | None) -> str:
    named = f"--id {shlex.quote(event_id)}"
    return f"{named} --handler {shlex.quote(handler)}" if handler else named
