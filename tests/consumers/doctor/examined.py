"""What `oyez doctor` says of a shop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from consumers.cli.running import Shop


@dataclass(frozen=True)
class Examined:
    """The exit code, and what each check has found: its states, what it says, and what is to be done."""

    code: int
    states: Mapping[str, list[str]]
    says: Mapping[str, str]
    advice: Mapping[str, str]
    because: Mapping[str, str | None]


def examined(shop: Shop, *flags: str, **settings: str) -> Examined:
    done = shop.run("doctor", "--json", *flags, **settings)
    assert "Traceback" not in done.stderr
    rows = json.loads(done.stdout)
    names = list(dict.fromkeys(row["check"] for row in rows))

    def each(name: str, column: str) -> list[str]:
        return [row[column] or "" for row in rows if row["check"] == name]

    return Examined(
        done.returncode,
        {name: each(name, "state") for name in names},
        {name: "\n".join(each(name, "says")) for name in names},
        {name: "\n".join(each(name, "advice")) for name in names},
        {row["check"]: row["because"] for row in rows},
    )
