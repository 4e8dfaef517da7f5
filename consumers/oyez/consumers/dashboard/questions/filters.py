"""The fields that choose deliveries, as in `oyez retry list` and `oyez dead list`: in an address, and in a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from ...cli.common.ages import age_of
from ...cli.common.errors import UsageProblem
from ...database.delivery_filter import STATES, Filter
from ...database.tables import parked

EXACT = {"group": "group_name", "signal": "signal", "handler": "handler", "key": "key", "source": "source"}
LACKING = ("handler", "signal", "error")
"""What ``without`` may name, with commas: what could not be decoded has no handler, and what waits no error."""
FIELDS = (*EXACT, "reason", "error", "without", "event", "newer", "older", "since", "before")

PERSONAL = ("key", "error")


class WrongFilter(UsageProblem):
    """A field of a filter says what it cannot say."""


@dataclass(frozen=True)
class Chosen:
    """What was chosen: the fields as they were given, and the filter that they are."""

    fields: Mapping[str, str]
    wanted: Filter

    @property
    def words(self) -> str:
        """The fields in words."""
        return ", ".join(f"{name} {value}" for name, value in self.fields.items()) or "all"

    @property
    def harmless_words(self) -> str:
        """The same to be stored: without what may be of a person, who may have to be forgotten."""
        said = (f"{name} …" if name in PERSONAL else f"{name} {value}" for name, value in self.fields.items())
        return ", ".join(said) or "all"


def chosen_by(said: Mapping[str, str], table: Table, app: str, now: float) -> Chosen:
    """What the fields say, of an application's deliveries in a table. ``now`` is in seconds since the epoch. Raises
    `WrongFilter`."""
    fields = {name: value for name in FIELDS if (value := said.get(name, ""))}
    for name, value in fields.items():
        if "\0" in value:
            raise WrongFilter(f"{name}: nothing has a NUL in it")
    if table is parked and fields.get("reason", STATES[0]) not in STATES:
        raise WrongFilter(f"reason {fields['reason']!r}: what is parked is {', '.join(STATES)}")
    since, before = _moments(fields, now)
    return Chosen(fields, Filter(app=app, since=since, before=before, **_exact(fields)))


def _exact(fields: Mapping[str, str]) -> dict[str, Any]:
    event, without = fields.get("event"), _without(fields)
    return {
        **{column: fields[name] for name, column in EXACT.items() if name in fields},
        "reason": fields.get("reason"),
        "error": fields.get("error"),
        "events": (event,) if event else (),
        "without_error": "error" in without,
        **{EXACT[name]: "" for name in without if name in EXACT},
    }


def _without(fields: Mapping[str, str]) -> list[str]:
    names = [name for name in fields.get("without", "").split(",") if name]
    for name in names:
        if name not in LACKING:
            raise WrongFilter(f"without {name[:50]!r}: it is {', '.join(LACKING)}")
        if name in fields:
            raise WrongFilter(f"{name} is given, and without {name} too: choose one of them")
    return names


def _moments(fields: Mapping[str, str], now: float) -> tuple[float | None, float | None]:
    """Since when, and before when. Ages are moments before now; moments are given as seconds since the epoch, for what
    has to stay the same."""
    since = [max(0.0, now - age_given("newer", fields["newer"]))] if "newer" in fields else []
    before = [max(0.0, now - age_given("older", fields["older"]))] if "older" in fields else []
    since += [_seconds("since", fields["since"])] if "since" in fields else []
    before += [_seconds("before", fields["before"])] if "before" in fields else []
    return max(since, default=None), min(before, default=None)


def age_given(name: str, text: str) -> float:
    """The seconds of an age in the field of this name. Raises `WrongFilter`."""
    found = age_of(text)
    if found is None:
        raise WrongFilter(f"{name} {text!r}: write a number with s, m, h, d or w, such as 10m, 2h or 3d")
    return found


def _seconds(name: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not 0.0 <= found < 1e12:
        raise WrongFilter(f"{name} {text!r}: write seconds since 1970")
    return found
