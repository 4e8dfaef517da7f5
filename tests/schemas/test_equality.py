"""What counts as the same, when an event was read again."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, PrivateAttr

from oyez.schemas.equality import same

BERLIN = ZoneInfo("Europe/Berlin")
TWICE = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN)
AS_READ = datetime(2024, 10, 27, 2, 30, tzinfo=timezone(timedelta(hours=1)))
NAN = float("nan")
T = TypeVar("T")


class Bill(BaseModel, extra="allow"):
    prices: list[float] = []
    _seen: int = PrivateAttr(0)

    @cached_property
    def total(self) -> float:
        return sum(self.prices)


class Box(BaseModel, Generic[T], frozen=True):
    held: T


@dataclass(frozen=True)
class Stay:
    since: Any


class Unequal:
    def __eq__(self, other: object) -> NoReturn:
        raise ValueError

    def __hash__(self) -> int:
        return 0


def read(bill: Bill) -> Bill:
    """What has been used: with what it has cached, and noted for itself."""
    bill._seen = 7
    assert bill.total is not None
    return bill


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TWICE, AS_READ),
        ({"a": [(TWICE,)]}, {"a": [(AS_READ,)]}),
        ({TWICE}, {AS_READ}),
        ({TWICE: 1}, {AS_READ: 1}),
        (frozenset([Stay(TWICE)]), frozenset([Stay(AS_READ)])),
        (Box[datetime](held=TWICE), Box[Any](held=AS_READ)),
        (deque([TWICE]), deque([AS_READ])),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=2))),) * 2,
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),) * 2,
        (NAN, float("nan")),
        ({NAN: Stay(NAN)}, {float("nan"): Stay(float("nan"))}),
        (Decimal("sNaN1"), Decimal("sNaN1")),
        (complex(NAN, 1), complex(float("nan"), 1)),
        (read(Bill(prices=[1], more=TWICE)), Bill(prices=[1], more=AS_READ)),
        ([read(Bill())], [Bill()]),
        (OrderedDict(a=NAN), {"a": float("nan")}),
        (Stay([1]), Stay([1])),
    ],
)
def test_the_same(one: object, other: object) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TWICE, TWICE.replace(fold=0)),
        ([TWICE], [TWICE.replace(fold=0)]),
        (TWICE, AS_READ.replace(tzinfo=None)),
        ({TWICE: 1, AS_READ.astimezone(UTC): 1}, {AS_READ: 1}),
        ({TWICE, AS_READ.astimezone(UTC)}, {AS_READ}),
        (NAN, 0.0),
        (NAN, Decimal("NaN")),
        (Decimal("NaN"), Decimal("sNaN")),
        ([1], (1,)),
        (deque([1]), [1]),
        (Bill(prices=[1]), Bill(prices=[2])),
        (Bill(more=1), Bill()),
        (Box(held=1), Stay(1)),
        (Stay(1), Stay(2)),
        (Unequal(), Unequal()),
    ],
)
def test_not_the_same(one: object, other: object) -> None:
    assert not same(one, other)
    assert not same(other, one)
