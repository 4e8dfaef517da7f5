"""Whatever type a field has: what may be announced is read as what it was, by both paths."""

import re
import warnings
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from oyez.schemas import Catalogue, InvalidEvent, SchemaError, Signal, decode
from oyez.schemas.checking import same
from oyez.schemas.decoding import envelope_decoder
from oyez.schemas.encoding import Encoder
from schemas.any_models import Bill, Colour, Leg, Slot, Stay, Town
from schemas.any_type import HELD, NESTED, SCALARS, Kind, bills, instants, json_like

TIME = "2024-05-01T10:20:30.000123Z"
KINDS = [*SCALARS, *HELD, *NESTED]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MUTABLE = st.sampled_from(["", 1, None, Decimal(1), b"x", 10**4301, float("nan")])


@cache
def declared(number: int, **options: bool) -> tuple[type[Signal], Catalogue] | None:
    """A signal with a field of this type; None: such a signal is refused."""
    return made_of(KINDS[number][0], {}, **options)


def made_of(kind: Any, space: dict[str, Any], **options: bool) -> tuple[type[Signal], Catalogue] | None:
    """A signal with a field of this type; None: such a signal is refused."""
    here = Catalogue()
    space = {"__annotations__": {"x": kind}, "__module__": __name__} | space
    try:
        made = type(Signal)("Made", (Signal,), space, name="made", catalogue=here, **options)
    except SchemaError:
        return None
    return made, here


def written(signal: Signal, here: Catalogue) -> bytes | None:
    """The event as bytes; None: it is refused."""
    said = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return Encoder("web", here).encode(signal, id="e1", time=TIME, key=None, subject=None)
        except InvalidEvent as error:
            said = str(error)
    assert "\n" not in said
    return None


def holds(signal: Signal, here: Catalogue) -> bool:
    """Whether the event may be announced, and then it is read as what it was."""
    value = written(signal, here)
    if value is None:
        return False
    for read in (envelope_decoder(here["made"])(value)["data"], decode(value, (), None, here).data):
        assert read == signal or same(read, signal)
    return True


def shown(kind: object) -> str:
    """The same in each of the processes that share the tests."""
    return re.sub(r" at 0x\w+", "", str(kind))


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[shown(kind) for kind, _ in KINDS])
@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data(), strict=st.booleans())
def test_what_may_be_announced_is_read_as_what_it_was(
    number: int, *, data: st.DataObject, strict: bool
) -> None:
    made = declared(number, strict=strict)
    if made is None:
        return
    model, here = made
    try:
        signal = model(x=data.draw(KINDS[number][1]))
    except (ValidationError, ValueError):
        return
    holds(signal, here)


@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    number=st.integers(0, len(KINDS) - 1),
    data=st.data(),
    change=st.sampled_from(["construct", "copy", "old copy", "change", "assign", "default"]),
)
def test_what_was_never_validated_is_held_to_the_same(number: int, data: st.DataObject, change: str) -> None:
    wrong = data.draw(MUTABLE | json_like)
    if change == "default":
        made = made_of(KINDS[number][0], {"x": Field(wrong, validate_default=False)})
        assert made is None or holds(made[0](), made[1]) in (True, False)
        return
    made = declared(number, strict=False, frozen=change != "assign")
    if made is None:
        return
    model, here = made
    if change == "construct":
        holds(model.model_construct(x=wrong), here)
        holds(model.model_construct(), here)
        return
    try:
        signal = model(x=data.draw(KINDS[number][1]))
    except (ValidationError, ValueError):
        return
    if change == "copy":
        holds(signal.model_copy(update={"x": wrong}).model_copy(), here)
        return
    if change == "old copy":
        with warnings.catch_warnings(action="ignore"):
            signal = signal.copy(update={"x": wrong}).copy()
        holds(signal, here)
        return
    if change == "assign":
        signal.x = wrong  # type: ignore[attr-defined] # it is there
        holds(signal, here)
        return
    _change(signal.x, wrong)  # type: ignore[attr-defined] # it is there
    holds(signal, here)


def _change(held: Any, wrong: object) -> None:
    """Change a value that may be changed after it was validated."""
    try:
        match held:
            case list():
                held.append(wrong)
            case dict():
                held[wrong] = wrong
            case set():
                held.add(wrong)
            case Town():
                held.size = wrong  # type: ignore[assignment] # that is the point
            case _:
                pass
    except TypeError:
        pass  # it cannot be a key


HOLDING: list[tuple[Any, Callable[[datetime], Any]]] = [
    (datetime, lambda at: at),
    (list[datetime], lambda at: [at]),
    (set[datetime], lambda at: {at}),
    (frozenset[datetime], lambda at: frozenset([at])),
    (tuple[datetime, ...], lambda at: (at, at)),
    (dict[datetime, datetime], lambda at: {at: at}),
    (deque[datetime], lambda at: deque([at])),
    (Slot, lambda at: Slot(at=at)),
    (Stay, Stay),
    (Leg, Leg),
    (frozenset[Slot], lambda at: frozenset([Slot(at=at)])),
    (list[frozenset[Stay]], lambda at: [frozenset([Stay(at)])]),
]
PLAIN: list[Kind] = [
    (str, TEXT),
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bytes, st.binary()),
    (datetime, st.datetimes(timezones=st.sampled_from([None, UTC]))),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Town, st.builds(Town, name=TEXT)),
    (Bill, bills.filter(lambda bill: all(map(isfinite, bill.prices)))),
    (list[Bill], st.lists(bills.filter(lambda bill: all(map(isfinite, bill.prices))), max_size=2)),
    *((kind, instants.map(held)) for kind, held in HOLDING),
    (list[str], st.lists(TEXT)),
    (dict[str, int | None], st.dictionaries(TEXT, st.none() | st.integers())),
    (dict[str, Any], st.dictionaries(TEXT, st.none() | TEXT | st.lists(st.integers() | TEXT))),
    (tuple[UUID, ...] | None, st.none() | st.lists(st.uuids()).map(tuple)),
]


@pytest.mark.parametrize(("kind", "values"), PLAIN, ids=[shown(kind) for kind, _ in PLAIN])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_json_can_hold_is_announced(
    kind: Any, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    here = Catalogue()
    space = {"__annotations__": {"x": kind}, "__module__": __name__}
    model = type(Signal)("Made", (Signal,), space, name="made", catalogue=here)
    assert holds(model(x=data.draw(values)), here)


@example(deep=198)
@example(deep=199)
@given(deep=st.integers(0, 260))
def test_no_event_is_nested_too_deeply_to_be_read(deep: int) -> None:
    here = Catalogue()

    class Nested(Signal, name="made", catalogue=here):
        x: Any

    value: Any = []
    for _ in range(deep):
        value = [value]
    assert holds(Nested(x=value), here) == (deep < 199)
