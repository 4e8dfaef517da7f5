"""The command line, `oyez`."""

from .program import app, main

__all__ = ["app", "main"]
