"""An AsyncAPI document of signals with all kinds of data: what is announced fits it, at every depth."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from oyez.schemas import Catalogue, Signal
from oyez.schemas.asyncapi import asyncapi
from oyez.schemas.encoding import Encoder

SCHEMA = json.loads((Path(__file__).parents[1] / "support" / "asyncapi" / "3.0.0.json").read_text())
known = Catalogue()


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    kittens: list[Cat] = []


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    seen: tuple[int, str, Cat]


class Met(Signal, name="pets.met-1", key="owner", topic="pets", catalogue=known):
    owner: str
    pet: Annotated[Cat | Dog, Field(discriminator="kind", description="whom")]
    colour: Colour = Colour.RED
    others: dict[str, Dog] = Field(default_factory=dict)
    more: Any = None
    price: Decimal = Decimal(1)
    picture: bytes = b"1"


class Left(Signal, name="pets.left", catalogue=known):
    pass


def document() -> dict[str, Any]:
    return asyncapi("pets", "1", list(known), "usual", {"pets.all": ["pets.met-1", "pets.left", "of.others"]})


def test_it_is_asyncapi_3_and_a_group_has_an_operation_for_each_topic() -> None:
    made = document()
    jsonschema.Draft7Validator(SCHEMA).validate(made)
    assert sorted(made["channels"]) == ["pets", "usual"]
    receives = {
        name: one["channel"] for name, one in made["operations"].items() if one["action"] == "receive"
    }
    assert receives == {
        "handle.pets.all.pets": {"$ref": "#/channels/pets"},
        "handle.pets.all.usual": {"$ref": "#/channels/usual"},
    }


def test_what_is_announced_fits_at_every_depth() -> None:
    made = document()
    schema = {**made, **made["components"]["messages"]["pets.met-1"]["payload"]["schema"]}
    dog = Dog(seen=(1, "a", Cat(kittens=[Cat()])))
    met = Met(owner="ann", pet=dog, others={"b": dog})
    value = Encoder("s", known).encode(met, id="1", time="2026-01-01T00:00:00Z", key="ann", subject=None)
    jsonschema.Draft7Validator(schema).validate(json.loads(value))
    for right, wrong in (
        (b'"kittens":[]', b'"kittens":7'),
        (b'"seen":[1,"a"', b'"seen":[1,1'),
        (b'"kind":"dog"', b'"kind":"cow"'),
        (b'"red"', b'"green"'),
        (b'"type":"pets.met-1"', b'"type":"pets.left"'),
    ):
        changed = value.replace(right, wrong)
        assert changed != value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft7Validator(schema).validate(json.loads(changed))
