"""`python -m oyez.consumers.cli` is `oyez`."""

from .program import main

main()
