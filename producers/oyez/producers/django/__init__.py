"""Announcing from Django: its settings, the announcer of a process, its transactions, and the session of each request.

The app is ``oyez.producers.django`` in ``INSTALLED_APPS``.
"""

from typing import TYPE_CHECKING

from ..when_used import names_when_used

if TYPE_CHECKING:
    from .process import announce, announcer

__all__ = ["announce", "announcer"]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(__name__, {"announce": ".process", "announcer": ".process"})
