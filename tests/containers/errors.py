"""Why something cannot be had here."""

UNAVAILABLE = 69  # the exit code of sysexits.h: a service that is needed cannot be had


class CannotBeHad(Exception):
    """This machine lacks something that nobody can install for it. The message is one line."""


class NotMade(Exception):
    """A recipe of ours has failed: no other machine would help. The message is one line."""


class Refused(Exception):
    """The registry of images does not have what the project's files name. The message is one line."""
