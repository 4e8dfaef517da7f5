"""Classes that fields may be of: models, dataclasses, named tuples, enumerations."""

import enum
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field, RootModel, computed_field
from typing_extensions import TypedDict


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    A = (1, 2)
    B = b"\xff"
    C = 1.5
    D = date(2024, 1, 1)


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Town(BaseModel):
    name: str
    size: float = 0.0


class City(Town):
    mayor: str = "nobody"


class Named(BaseModel, serialize_by_alias=True):
    full_name: str = Field(alias="fullName")


class Loose(BaseModel, extra="allow"):
    n: int = 0


class Closed(BaseModel, extra="forbid"):
    inner: Loose


class Held(BaseModel):
    proof: bytes
    since: timedelta = timedelta(0)


class Seconds(BaseModel, ser_json_timedelta="float"):
    since: timedelta


class Tree(BaseModel):
    below: "list[Tree]" = []


class Bill(BaseModel):
    prices: list[float]

    @cached_property
    def total(self) -> float:
        return sum(self.prices)

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def count(self) -> int:
        return len(self.prices)


class Slot(BaseModel, frozen=True):
    at: datetime


class Ids(RootModel[list[int]]):
    pass


@dataclass
class Spot:
    x: int
    note: bytes = b""


@dataclass(frozen=True)
class Stay:
    since: datetime
    seen: int = field(default=0, compare=False)


class Leg(NamedTuple):
    left: datetime


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Row(TypedDict, total=False):
    n: int
    at: date


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    lives: int = 1
