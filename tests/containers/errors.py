"""Why something cannot be had here."""


class CannotBeHad(Exception):
    """This machine lacks something that nobody can install for it. The message is one line."""
