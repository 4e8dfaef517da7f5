"""`python -m compatibility [--save FILE] [CELL…]`: a line for each cell as it ends, then the table."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from compatibility.cells import CELLS, chosen
from compatibility.running import Result, tried
from compatibility.table import line, page, table


def main(arguments: list[str]) -> int:
    """0: all that is promised holds; 1: it does not; 2: no such cell."""
    parser = argparse.ArgumentParser(prog="compat", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help=", ".join(cell.name for cell in CELLS))
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the page there")
    given = parser.parse_args(arguments)
    try:
        cells = chosen(given.cells)
    except ValueError as problem:
        sys.stderr.write(f"compat: {problem}\n")
        return 2
    results: list[Result] = []
    for number, cell in enumerate(cells, start=1):
        print(f"compat: {number} of {len(cells)}, {cell.part} {cell.version} …", file=sys.stderr, flush=True)
        results.append(tried(cell))
        print(f"compat: {line(results[-1])}", file=sys.stderr, flush=True)
    print(table(results))
    if given.save:
        given.save.write_text(page(results, datetime.now(UTC).date()))
    return int(any(result.bad for result in results) or not any(result.passed for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
