"""Listening in Django: handlers that use its ORM in their transaction, its migrations, commands and admin pages.

The app is ``oyez.consumers.django`` in ``INSTALLED_APPS``.
"""

from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .transaction import DjangoTransaction

__all__ = ["DjangoTransaction"]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(__name__, {"DjangoTransaction": ".transaction"})
