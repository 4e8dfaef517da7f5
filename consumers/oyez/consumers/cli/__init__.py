"""The command line, `oyez`.

What it needs is imported when it is run.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .program import app

__all__ = ["app", "main"]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(__name__, {"app": ".program"})


def main() -> None:
    """Run `oyez`."""
    import_module(".program", __name__).main()
