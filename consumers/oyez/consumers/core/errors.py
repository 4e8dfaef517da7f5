"""Errors that have a kind of their own for whoever ends with them, wherever they come from."""

from __future__ import annotations

from oyez.schemas import OyezError


class ServiceAway(OyezError):
    """A service does not answer; the message says which one, and where."""
