"""What has changed between two documents of signals, and what that breaks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .errors import SchemaError
from .fitting import misfits
from .versions import FIRST

Broken = Literal["old events", "old readers"]
"""Events that are parked or kept, or that older producers still announce; and code that is older than the events."""
Schema = Mapping[str, Any]


_DESCRIBING = ("title", "description", "examples", "$schema", "$id")


@dataclass(frozen=True)
class Change:
    """``where`` is a field, or a keyword of the signal; ``breaks`` is empty for what breaks nothing."""

    signal: str
    where: str
    what: str
    breaks: tuple[Broken, ...] = ()


def signals_in(document: Any) -> dict[str, Schema]:
    """The schemas in a document of `json_schema` or `bundle`, by the signals' names. SchemaError: it is none."""
    if isinstance(document, Mapping):
        if "x-oyez-signal" in document:
            return {str(document["x-oyez-signal"]): document}
        found = document.get("$defs")
        if document.get("$id") == "urn:oyez:signals" and isinstance(found, Mapping):
            return dict(found)
    raise SchemaError("no schemas of signals are in it; `oyez signals list --json-schema` writes them")


def changes(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[Change]:
    """What has changed, by signal. What only titles and descriptions say is no change."""
    found: list[Change] = []
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            found.append(
                Change(name, "", "is not declared any more: its events are read by nobody", ("old events",))
            )
        elif name not in old:
            found.append(Change(name, "", "is new"))
        else:
            found += _of_signal(name, old[name], new[name])
    return found


def _of_signal(name: str, old: Schema, new: Schema) -> Iterator[Change]:
    for keyword, before, after in _keywords(old, new):
        what, breaks = _KEYWORDS[keyword]
        yield Change(name, keyword, f"was {before}, is {after}: {what}", breaks)
    yield from _requirements(name, old.get("x-oyez-requires") or {}, new.get("x-oyez-requires") or {})
    broken = False
    for misfit in () if _brings_up(old, new) else misfits(old, new):
        broken = True
        yield Change(name, misfit.where, misfit.why, ("old events",))
    for misfit in misfits(new, old):
        broken = True
        yield Change(name, misfit.where, _turned(misfit.why), ("old readers",))
    if not broken and _bare(old) != _bare(new):
        yield Change(name, "", "its fields have changed, and each side reads the other's")


def _brings_up(old: Schema, new: Schema) -> bool:
    """Whether upcasts make new data of old data."""
    before, after = (one.get("x-oyez-version", FIRST) for one in (old, new))
    steps = new.get("x-oyez-upcasts", ())
    return before < after and all(one in steps for one in range(before, after))


_KEYWORDS: Mapping[str, tuple[str, tuple[Broken, ...]]] = {
    "key": ("events before and after are in no order", ("old events",)),
    "subject": ("what is met under the one is not met under the other", ("old events", "old readers")),
    "topic": (
        "the old one is not read any more, and the new one not by older code",
        ("old events", "old readers"),
    ),
    "number": ("whoever announces by number has to be told", ()),
}


def _keywords(old: Schema, new: Schema) -> Iterator[tuple[str, Any, Any]]:
    for keyword in _KEYWORDS:
        before, after = old.get(f"x-oyez-{keyword}"), new.get(f"x-oyez-{keyword}")
        if before != after:
            yield keyword, before or "none", after or "none"


def _requirements(name: str, old: Schema, new: Schema) -> Iterator[Change]:
    for required in dict.fromkeys((*old, *new)):
        if required not in old:
            what = f"requires {required} now: events from before wait for it too, see `oyez met`"
            yield Change(name, "requires", what, ("old events",))
        elif required not in new:
            yield Change(name, "requires", f"does not require {required} any more")
        elif old[required] != new[required]:
            what = f"requires {required} by {new[required]}, and did by {old[required]}"
            yield Change(name, "requires", what, ("old events",))


def _turned(why: str) -> str:
    """The same from the side of older code."""
    return f"in what is announced now: {why}"


def _bare(schema: Any) -> Any:
    """A schema without what only describes."""
    if isinstance(schema, Mapping):
        kept = [name for name in schema if name not in _DESCRIBING and name[:2] != "x-"]
        return {name: _bare(schema[name]) for name in kept}
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema
