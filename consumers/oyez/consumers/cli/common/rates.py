"""Rates as they are written on the command line: 50/s, 100/min, 3000/h."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from ...core.rate_limit import Pace
from .bundles import Bundle
from .errors import UsageProblem

UNITS = {"s": 1.0, "min": 60.0, "h": 3_600.0}
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|min|h))?")

Rate = Annotated[
    str | None,
    typer.Option(
        "--rate", metavar="N/s", help="So many a second at most; N/min and N/h too. Ctrl-C ends it cleanly."
    ),
]


def interval_of(rate: str, noun: str = "deliveries", unit: str = "s") -> float:
    """The seconds for each at this rate; ``unit`` is meant where none is said. Raises `UsageProblem`."""
    found = _RATE.fullmatch(rate)
    if found is None or float(found[1]) == 0:
        raise UsageProblem(f"--rate {rate}: write a number of {noun}, such as 100/min, 5/s or 3000/h")
    return UNITS[found[2] or unit] / float(found[1])


def _pace(_context: typer.Context, *, rate: str | None) -> Pace:
    return Pace(0.0 if rate is None else interval_of(rate))


RATE = Bundle("pace", {"rate": Rate}, _pace)
"""A command gets a `Pace`, as ``pace``: as fast as it can be, unless a rate is said."""
