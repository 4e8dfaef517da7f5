"""Oyez's loggers, which stay awake: whoever does not name them cannot have meant them."""

import logging


class _Awake:
    """`logging.config` disables, by default, every logger that exists and that the configuration does not name. So an
    application that configures logging would silence what Oyez has to say of lost events. ``disabled`` is that
    module's alone to set (it is read-only for all others), and here it stays False. Levels, handlers and propagation
    are as configured."""

    @property
    def disabled(self) -> bool:
        return False

    @disabled.setter
    def disabled(self, asked: bool) -> None:
        """Nobody who names a logger asks for this."""


def logger_named(name: str) -> logging.Logger:
    """The logger of that name; `oyez`, or below it."""
    found = logging.getLogger(name)
    kind = type(found)
    if not issubclass(kind, _Awake):
        # The class that the application has chosen for its loggers stays.
        found.__class__ = type(kind.__name__, (_Awake, kind), {})
    return found
