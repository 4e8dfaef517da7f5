"""`python -m oyez.consumers.cli` is `oyez`."""

from . import main

main()
