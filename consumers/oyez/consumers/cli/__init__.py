"""The command line, `oyez`.

`oyez healthy` is answered before anything else is imported: it is asked every few seconds.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from ..health.answer import answer

if TYPE_CHECKING:
    from .program import app

__all__ = ["app", "main"]


def main() -> None:
    """Run `oyez`."""
    code = answer(sys.argv[2:]) if sys.argv[1:2] == ["healthy"] else None
    if code is not None:
        sys.exit(code)
    import_module(".program", __name__).main()


def __getattr__(name: str) -> object:
    """What is imported when it is used (PEP 562)."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = import_module(".program", __name__).app
    return found
