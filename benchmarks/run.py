"""The figures of Oyez, each beside the loop that it is compared with, in one run.

python benchmarks/run.py [--events N] [--turns N] [--save | --profile]
    [announce|async|at-least-once|skip|exact|journal|each|collect|disorder|backlog|large|failures|lanes|spool|mail|latency|peers
     |starting|tracing ...]
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import announcing
import asynchronous
import backlog
import collecting
import disorder
import each
import failing
import journaling
import lanes
import lanes_exact
import large
import latency
import listening
import mailing
import peering
import spooling
import starting
import tracing
from accounts import NotOnce
from bed import Figure, Row, Services, services
from machine import commit, machine, versions
from profiling import profiled
from results import FULL, HOME, is_quoted, quote, save

from oyez.consumers.processes.child import YOUNG

PARTS: dict[str, Callable[[Services, int, int], Iterable[Row | Figure | starting.Less]]] = {
    "announce": announcing.rows,
    "async": asynchronous.rows,
    "at-least-once": lambda at, count, turns: [listening.at_least_once(at, count, turns)],
    "skip": lambda at, count, turns: [listening.skipping(at, count, turns)],
    "exact": listening.exactly_once,
    "journal": journaling.rows,
    "each": each.rows,
    "collect": lambda _at, count, turns: collecting.rows(count, turns),
    "disorder": disorder.rows,
    "backlog": backlog.rows,
    "large": large.rows,
    "failures": failing.rows,
    "lanes": lambda *given: chain(lanes.rows(*given), lanes_exact.rows(*given)),
    "latency": latency.rows,
    "mail": mailing.rows,
    "spool": lambda _at, count, turns: spooling.rows(count, turns),
    "peers": peering.rows,
    "starting": lambda _at, count, turns: starting.rows(count, turns),
    "tracing": tracing.rows,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="what to measure; everything by default"
    )
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--turns", type=int, default=5, help="times that each pair of loops is run")
    parser.add_argument(
        "--save", action="store_true", help="keep the figures in benchmarks/results; README quotes a part"
    )
    parser.add_argument(
        "--profile", action="store_true", help="say where the time goes, by what of Oyez and which library"
    )
    arguments = parser.parse_args()
    if arguments.profile:
        return profiled(Path(__file__), [one for one in sys.argv[1:] if one != "--profile"])
    begun = _begun(arguments)
    used = ", ".join(f"{name} {number}" for name, number in begun["versions"].items())
    print(f"{used}; {arguments.events} events, {arguments.turns} turns")
    print(f"{'work':<58} {'beside':<46} {'ours/s':>9} {'loop/s':>9}  ratio    of turns")
    # As `oyez listen` does for its workers; the loops beside gain by it too.
    gc.freeze()
    gc.set_threshold(YOUNG)
    try:
        rows = list(_measured(arguments))
    except NotOnce as error:
        print(f"NOT ONCE  {error}", file=sys.stderr)
        return 1
    if arguments.save:
        result = {**begun, "rows": rows}
        path = save(result)
        print(f"kept in {path.relative_to(HOME)}")
        if is_quoted(result):
            quote(HOME / "README.md", path)
    return 0


def _begun(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is known of a run before it has begun."""
    sizes = f"--events {arguments.events} --turns {arguments.turns} "
    words = [*arguments.parts, *([sizes.strip()] if arguments.events != FULL else []), "--save"]
    return {
        "taken": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "command": f'make bench ARGS="{" ".join(words)}"',
        "events": arguments.events,
        "turns": arguments.turns,
        "commit": commit(),
        "versions": versions(),
        "machine": machine(),
    }


def _measured(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Rows as they are kept, each printed at once."""
    with services() as at:
        for name in arguments.parts or PARTS:
            try:
                for row in PARTS[name](at, arguments.events, arguments.turns):
                    print(row, flush=True)
                    yield {"part": name, **row.saved()}
            except NotOnce as error:
                raise NotOnce(f"{name}: {error}") from None
            except (TimeoutError, CalledProcessError) as error:  # one part is lost, not an hour's work
                missing = Figure(f"{name}: not measured", str(error), "", "to be measured", False)
                print(missing, flush=True)
                yield {"part": name, **missing.saved()}


if __name__ == "__main__":
    sys.exit(main())
