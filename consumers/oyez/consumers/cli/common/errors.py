"""Errors of the command line's own; `reporting` says how they end it."""

from __future__ import annotations

from oyez.schemas import OyezError

from ...core.errors import ServiceAway


class UsageProblem(OyezError):
    """What was given on the command line cannot be used."""


class CheckFailed(OyezError):
    """A check found problems."""


class NotFound(OyezError):
    """What was asked for is not there."""


class Unreachable(ServiceAway):
    """A service does not answer; the message says which one, where, and what to do."""
