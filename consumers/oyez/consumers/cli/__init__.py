"""The command line, `oyez`.

`oyez healthy` is answered before anything else is imported: it is asked every few seconds. What the others need is
imported when they are run.
"""

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

from ..health.answer import answer

if TYPE_CHECKING:
    from .program import app

__all__ = ["app", "main"]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(__name__, {"app": ".program"})


YOUNG = 50_000  # objects; what is imported stays, and the collector would look at it again and again


def main() -> None:
    """Run `oyez`."""
    code = answer(sys.argv[2:]) if sys.argv[1:2] == ["healthy"] else None
    if code is not None:
        sys.exit(code)
    gc.set_threshold(YOUNG)
    gc.disable()  # until the command is loaded, see `WhenRun`: a tenth of the time of a short one
    import_module(".program", __name__).main()
