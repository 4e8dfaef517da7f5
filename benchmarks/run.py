"""The figures of Oyez, each beside the loop that it is compared with, in one run.

python benchmarks/run.py [--events N] [--turns N]
    [announce|at-least-once|skip|exact|disorder|backlog|large|failures|spool|mail|latency|starting ...]
"""

from __future__ import annotations

import argparse
import gc
import platform
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version

import announcing
import backlog
import disorder
import failing
import large
import latency
import listening
import mailing
import spooling
import starting
from accounts import NotOnce
from bed import Figure, Row, Services, services

from oyez.consumers.processes.supervisor import YOUNG

PARTS: dict[str, Callable[[Services, int, int], Iterable[Row | Figure | starting.Less]]] = {
    "announce": announcing.rows,
    "at-least-once": lambda at, count, turns: [listening.at_least_once(at, count, turns)],
    "skip": lambda at, count, turns: [listening.skipping(at, count, turns)],
    "exact": listening.exactly_once,
    "disorder": disorder.rows,
    "backlog": backlog.rows,
    "large": large.rows,
    "failures": failing.rows,
    "latency": latency.rows,
    "mail": mailing.rows,
    "spool": lambda _at, count, turns: spooling.rows(count, turns),
    "starting": lambda _at, count, turns: starting.rows(count, turns),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="what to measure; everything by default"
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5, help="times that each pair of loops is run")
    arguments = parser.parse_args()
    used = ", ".join(f"{name} {version(name)}" for name in ("confluent-kafka", "sqlalchemy", "pydantic"))
    print(f"Python {platform.python_version()}, {used}; {arguments.events} events, {arguments.turns} turns")
    print(f"{'work':<58} {'beside':<46} {'ours/s':>9} {'loop/s':>9}  ratio   of turns")
    # As `oyez listen` does for its workers; the loops beside gain by it too.
    gc.freeze()
    gc.set_threshold(YOUNG)
    with services() as at:
        for name in arguments.parts or PARTS:
            try:
                for row in PARTS[name](at, arguments.events, arguments.turns):
                    print(row, flush=True)
            except NotOnce as error:
                print(f"NOT ONCE  {name}: {error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
