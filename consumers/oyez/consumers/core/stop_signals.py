"""What ends a process from outside, wherever it is: no error of the code that it interrupts."""

from __future__ import annotations


class Terminated(BaseException):
    """SIGTERM came where nothing has to be finished."""


STOPS = (KeyboardInterrupt, Terminated)
