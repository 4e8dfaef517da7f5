"""Types of fields, with values for them: what pydantic has, alone and inside of one another."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AnyUrl,
    BeforeValidator,
    ByteSize,
    EncodedStr,
    Field,
    NaiveDatetime,
    PlainSerializer,
    SerializeAsAny,
    StringConstraints,
)
from pydantic.types import Base64Encoder

from schemas.any_models import (
    Bill,
    Cat,
    City,
    Closed,
    Colour,
    Dog,
    Held,
    Ids,
    Leg,
    Level,
    Loose,
    Mixed,
    Named,
    Point,
    Rights,
    Row,
    Seconds,
    Slot,
    Spot,
    Stay,
    Town,
    Tree,
)

Kind = tuple[Any, st.SearchStrategy[Any]]
"""A type, and values that may be given for it: most are valid."""


texts = st.text()
floats = st.floats()
zones = st.sampled_from(
    [
        None,
        UTC,
        timezone(timedelta(hours=-5, minutes=30)),
        ZoneInfo("Europe/Berlin"),
        ZoneInfo("Africa/Monrovia"),
    ]
)
BERLIN = ZoneInfo("Europe/Berlin")
edges = st.sampled_from(
    [
        datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN),
        datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
        datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=2))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    ]
)
"""An hour that comes twice, one that never comes, and instants that UTC has no year for."""
moments = st.datetimes(timezones=zones) | edges
instants = st.datetimes(timezones=st.sampled_from([UTC, BERLIN])).filter(lambda at: at.year > 1900) | edges
"""What JSON can hold: without seconds in an offset."""
json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | floats
    | texts
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.just(Decimal("NaN"))
    | moments,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(texts | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
towns = st.builds(Town, name=texts, size=floats) | st.builds(City, name=texts)
bills = st.lists(floats, max_size=3).map(lambda prices: _read(Bill(prices=prices)))
trees = st.recursive(
    st.just(Tree()), lambda inner: st.builds(Tree, below=st.lists(inner, max_size=2)), max_leaves=4
)
doubled = Annotated[int, AfterValidator(lambda value: value * 2)]
stripped = Annotated[str, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]
halved = Annotated[int, PlainSerializer(lambda value: value // 2)]


def _read(bill: Bill) -> Bill:
    """A bill with what it has cached."""
    assert bill.total is not None
    assert bill.count == len(bill.prices)
    return bill


SCALARS: list[Kind] = [
    (str, texts),
    (int, st.integers() | st.just(10**4300) | st.just(-(10**4299))),
    (bool, st.booleans()),
    (float, floats),
    (Annotated[float, Field(allow_inf_nan=True)], floats),
    (bytes, st.binary()),
    (date, st.dates()),
    (datetime, moments),
    (NaiveDatetime, st.datetimes()),
    (time, st.times(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=3))]))),
    (timedelta, st.timedeltas()),
    (Decimal, st.decimals(allow_nan=False) | st.just(Decimal("NaN"))),
    (complex, st.complex_numbers()),
    (Fraction, st.fractions()),
    (uuid.UUID, st.uuids()),
    (None, st.none()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Mixed, st.sampled_from(Mixed)),
    (Rights, st.sampled_from([Rights.READ, Rights.READ | Rights.WRITE])),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    (Literal[True, 0], st.sampled_from([True, 0])),
    (Literal[b"a", Colour.RED], st.sampled_from([b"a", Colour.RED])),
    (IPv4Address, st.ip_addresses(v=4)),
    (IPv6Network, st.just(IPv6Network("::/64"))),
    (AnyUrl, st.just("http://Example.org/ü?a=1")),
    (PurePosixPath, st.just(PurePosixPath("/a/b"))),
    (ByteSize, st.sampled_from([10, "1.5 KiB"])),
    (Annotated[str, EncodedStr(encoder=Base64Encoder)], st.just("YWJj")),
    (Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=9)], texts),
    (Annotated[int, Field(gt=0)], st.integers(-2, 9)),
    (doubled, st.integers()),
    (stripped, texts),
    (halved, st.integers()),
    (Any, json_like),
    (object, json_like),
]
HELD: list[Kind] = [
    (Town, towns),
    (SerializeAsAny[Town], towns),
    (Named, st.builds(Named, fullName=texts)),
    (Held, st.builds(Held, proof=st.binary(), since=st.timedeltas())),
    (Seconds, st.builds(Seconds, since=st.timedeltas())),
    (Tree, trees),
    (Closed, st.builds(lambda more: Closed(inner=Loose(more=more)), texts | floats)),
    (Ids, st.builds(Ids, st.lists(st.integers()))),
    (Spot, st.builds(Spot, st.integers(), st.binary())),
    (Stay, st.builds(Stay, moments)),
    (Leg, st.builds(Leg, moments)),
    (Slot, st.builds(Slot, at=moments)),
    (Bill, bills),
    (Point, st.builds(Point, st.integers(), floats)),
    (Row, st.fixed_dictionaries({}, optional={"n": st.integers(), "at": st.dates()})),
    (Annotated[Cat | Dog, Field(discriminator="kind")], st.builds(Cat) | st.builds(Dog)),
    (Cat | Dog, st.builds(Cat) | st.builds(Dog)),
    (Sequence[int], st.lists(st.integers()) | st.tuples(st.integers())),
    (Mapping[str, Any], st.dictionaries(texts, json_like, max_size=3)),
]


def _listed(kind: Kind) -> Kind:
    return list[kind[0]], st.lists(kind[1], max_size=3)  # type: ignore[valid-type] # made while it runs


def _tupled(kind: Kind) -> Kind:
    return tuple[kind[0], ...], st.lists(kind[1], max_size=3).map(tuple)  # type: ignore[valid-type]


def _perhaps(kind: Kind) -> Kind:
    return kind[0] | None if kind[0] is not None else None, st.none() | kind[1]


def _by_text(kind: Kind) -> Kind:
    return dict[str, kind[0]], st.dictionaries(texts, kind[1], max_size=3)  # type: ignore[valid-type]


def _as_key(kind: Kind) -> Kind:
    return dict[kind[0], int], st.dictionaries(kind[1], st.integers(), max_size=3)  # type: ignore[valid-type]


def _set(kind: Kind) -> Kind:
    return set[kind[0]], st.sets(kind[1], max_size=3)  # type: ignore[valid-type]


def _frozen(kind: Kind) -> Kind:
    return frozenset[kind[0]], st.frozensets(kind[1], max_size=3)  # type: ignore[valid-type]


def _or_text(kind: Kind) -> Kind:
    return kind[0] | str, kind[1] | texts


hashable: list[Kind] = [
    *(kind for kind in SCALARS if kind[0] not in (Any, object)),
    (Stay, st.builds(Stay, moments)),
    (Leg, st.builds(Leg, moments)),
]
wrapping: list[tuple[Callable[[Kind], Kind], list[Kind]]] = [
    (_listed, SCALARS + HELD),
    (_tupled, SCALARS + HELD),
    (_perhaps, SCALARS + HELD),
    (_by_text, SCALARS + HELD),
    (_as_key, hashable),
    (_set, hashable),
    (_frozen, hashable),
    (_or_text, SCALARS),
]
NESTED: list[Kind] = [wrap(kind) for wrap, kinds in wrapping for kind in kinds]
REFUSED: list[Any] = [Iterable[int], Callable[[], int], type[int]]
