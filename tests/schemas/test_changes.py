"""What `signals diff` calls compatible is read; what it finds has its field and its reason."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from oyez.schemas import Catalogue, SchemaError, Signal
from oyez.schemas.changes import changes, signals_in
from oyez.schemas.decoding import json_reader
from oyez.schemas.documents import bundle, json_schema
from oyez.schemas.fitting import misfits

Kind = tuple[Any, st.SearchStrategy[Any]]
"""A type of a field, and its values."""

SIMPLE: list[Kind] = [
    (int, st.integers(-(2**40), 2**40)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (str, st.text(st.characters(codec="utf-8"), max_size=4)),
    (None, st.none()),
    (date, st.dates()),
    (datetime, st.datetimes()),
    (Any, st.none() | st.booleans() | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2)),
]


def limited(low: int, size: int) -> list[Kind]:
    return [
        (Annotated[int, Field(ge=low, lt=low + size)], st.integers(low, low + size - 1)),
        (
            Annotated[str, Field(min_length=low, max_length=low + size)],
            st.text("ab", min_size=low, max_size=low + size),
        ),
    ]


def literals(values: list[Any]) -> Kind:
    return Literal[tuple(values)], st.sampled_from(values)


leaves = (
    st.sampled_from(SIMPLE)
    | st.tuples(st.integers(0, 3), st.integers(1, 3)).flatmap(lambda one: st.sampled_from(limited(*one)))
    | st.lists(st.sampled_from(["a", "b", 1, 2]), min_size=1, max_size=3, unique=True).map(literals)
)


def some_of(kinds: list[Kind]) -> Kind:
    kind: Any = kinds[0][0]
    for one, _ in kinds[1:]:
        kind = kind | one
    return kind, st.one_of([values for _, values in kinds])


Fields = dict[str, tuple[Kind, tuple[Any, ...]]]
"""The fields of a model: what they are, and the default, if they have one."""


def model_of(fields: Fields, base: type[BaseModel] = BaseModel, **options: Any) -> Kind:
    """A model, and the data of its objects."""
    made: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name, ((kind, of_kind), default) in fields.items():
        made[name] = (kind, Field(default_factory=lambda found=default: found[0]) if default else ...)
        values[name] = of_kind
    model = create_model("Model", __base__=base, __cls_kwargs__=options or None, **made)
    return model, st.fixed_dictionaries(values)


def without_default(kind: Kind) -> tuple[Kind, tuple[Any, ...]]:
    return kind, ()


def with_or_without_default(kind: Kind) -> st.SearchStrategy[tuple[Kind, tuple[Any, ...]]]:
    return st.tuples(st.just(kind), st.just(()) | st.tuples(kind[1]))


def bigger(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    fields = st.dictionaries(st.sampled_from("xyz"), inner.map(without_default), max_size=2)
    return st.one_of(
        inner.map(lambda one: (list[one[0]], st.lists(one[1], max_size=2))),
        inner.map(
            lambda one: (dict[str, one[0]], st.dictionaries(st.sampled_from("pq"), one[1], max_size=2))
        ),
        st.lists(inner, min_size=2, max_size=2).map(
            lambda two: (tuple[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))
        ),
        st.lists(inner, min_size=2, max_size=3).map(some_of),
        fields.map(model_of),
    )


kinds = st.recursive(leaves, bigger, max_leaves=4)
fields = st.dictionaries(
    st.sampled_from("abc"), kinds.flatmap(with_or_without_default), min_size=1, max_size=3
)
ids = iter(range(10**9))


def signal_of(some: Fields) -> tuple[type[Signal], st.SearchStrategy[Any]]:
    model, values = model_of(some, Signal, name=f"changing-{next(ids)}", catalogue=Catalogue())
    return model, values


@st.composite
def two(draw: st.DrawFn) -> tuple[Fields, Fields]:
    """A signal before and after: some fields stay, some are other ones."""
    old = draw(fields)
    new = dict(old)
    for name in draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=2)):
        new.pop(name, None)
        if draw(st.booleans()):
            kind = (
                draw(kinds)
                if name not in old or draw(st.booleans())
                else some_of([old[name][0], draw(leaves)])
            )
            new[name] = draw(with_or_without_default(kind))
    return old, new


@settings(max_examples=100, phases=(Phase.generate, Phase.shrink))
@given(pair=two(), data=st.data())
def test_what_fits_is_read(pair: tuple[Fields, Fields], data: st.DataObject) -> None:
    (old, values), (new, _) = (signal_of(one) for one in pair)
    fits = not misfits(json_schema(old.__oyez__), json_schema(new.__oyez__))  # type: ignore[arg-type] # it is declared
    event(f"fits: {fits}")
    if fits:
        written = old(**data.draw(values)).model_dump_json().encode()
        json_reader(new)(written)  # raises


@settings(max_examples=20, phases=(Phase.generate, Phase.shrink))
@given(some=fields)
def test_what_has_not_changed_fits(some: Fields) -> None:
    schema = json_schema(signal_of(some)[0].__oyez__)  # type: ignore[arg-type] # it is declared
    assert misfits(schema, schema) == []


def found(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    """What breaks old events, from signals with these fields."""
    documents = []
    for said in (old, new):
        model = create_model(
            "Changing", __base__=Signal, __cls_kwargs__={"name": "changing", "catalogue": Catalogue()}, **said
        )
        documents.append(signals_in(json_schema(model.__oyez__)))  # type: ignore[arg-type] # it is declared
    return [(one.where, one.what) for one in changes(*documents) if "old events" in one.breaks]


class Tree(BaseModel):
    name: str
    leaves: list[Tree] = []


class NamedTree(BaseModel):
    name: str | int = ""
    leaves: list[NamedTree] | None = None
    colour: str = "green"


class StrangeTree(BaseModel):
    name: str
    leaves: list[StrangeTree]
    colour: str


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    age: int = 0


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]

COMPATIBLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"a": (int, ...)}, {"a": (int, ...), "b": (str, "x")}),
    ({"a": (int, ...), "b": (str, ...)}, {"a": (int, ...)}),
    ({"a": (int, ...)}, {"a": (float, ...)}),
    ({"a": (int, ...)}, {"a": (int | None, None)}),
    ({"a": (Literal["x"], ...)}, {"a": (Literal["x", "y"], ...)}),
    ({"a": (Literal["x", "y"], ...)}, {"a": (str, ...)}),
    ({"a": (Annotated[int, Field(ge=2, le=3)], ...)}, {"a": (Annotated[int, Field(ge=0)], ...)}),
    ({"a": (tuple[int, str], ...)}, {"a": (list[int | str], ...)}),
    ({"a": (Tree, ...)}, {"a": (NamedTree, ...)}),
    ({"a": (Tree, ...)}, {"a": (dict[str, Any], ...)}),
    ({"a": (Cat, ...)}, {"a": (Pet, ...)}),
    ({"a": (Pet, ...)}, {"a": (Pet, ...)}),
    ({"a": (date, ...)}, {"a": (str, ...)}),
]
BREAKING: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"a": (int, ...)}, {"a": (int, ...), "b": (str, ...)}, "b", "may be missing, and has no default"),
    ({"a": (float, ...)}, {"a": (int, ...)}, "a", "was number, and is read as integer"),
    ({"a": (str, ...)}, {"a": (date, ...)}, "a", "was not limited by format 'date'"),
    (
        {"a": (Literal["x", "y"], ...)},
        {"a": (Literal["x"], ...)},
        "a",
        "may be 'y', which is not among ['x']",
    ),
    ({"a": (int | None, ...)}, {"a": (int, ...)}, "a", "was null, and is read as integer"),
    ({"a": (Any, ...)}, {"a": (int, ...)}, "a", "may be anything, and is read as integer"),
    (
        {"a": (int, ...)},
        {"a": (Annotated[int, Field(gt=0)], ...)},
        "a",
        "was not limited by exclusiveMinimum 0",
    ),
    ({"a": (Tree, ...)}, {"a": (StrangeTree, ...)}, "a.colour", "may be missing, and has no default"),
    ({"a": (list[int], ...)}, {"a": (list[str], ...)}, "a[]", "was integer, and is read as string"),
    ({"a": (Tree, ...)}, {"a": (Pet, ...)}, "a", "may lack kind, by which it is told what it is"),
    ({"a": (dict[str, int], ...)}, {"a": (dict[str, str], ...)}, "a.*", "was integer, and is read as string"),
]


@pytest.mark.parametrize(("old", "new"), COMPATIBLE)
def test_what_is_compatible(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert found(old, new) == []


@pytest.mark.parametrize(("old", "new", "where", "why"), BREAKING)
def test_what_breaks(old: dict[str, Any], new: dict[str, Any], where: str, why: str) -> None:
    assert (where, why) in found(old, new)


def test_keywords_of_signals() -> None:
    old, new = Catalogue(), Catalogue()

    class Begun(Signal, name="begun", subject="s", catalogue=old):
        s: str

    class BegunNow(Signal, name="begun", subject="s", topic="t", number=3, key="s", catalogue=new):
        s: str

    class Gone(Signal, name="gone", catalogue=old):
        s: str

    class Come(Signal, name="come", requires={BegunNow: "s"}, catalogue=new):
        s: str

    class Both(Signal, name="both", catalogue=old):
        s: str

    class BothNow(Signal, name="both", requires={BegunNow: "s"}, catalogue=new):
        s: str

    said = {
        (one.signal, one.where): one.breaks
        for one in changes(signals_in(bundle(old)), signals_in(bundle(new)))
    }
    assert said == {
        ("begun", "key"): ("old events",),
        ("begun", "topic"): ("old events", "old readers"),
        ("begun", "number"): (),
        ("gone", ""): ("old events",),
        ("come", ""): (),
        ("both", "requires"): ("old events",),
    }


def test_a_document_that_is_none() -> None:
    for document in ([], {}, {"$defs": {}}, None, {"$id": "urn:oyez:signals"}):
        with pytest.raises(SchemaError, match="no schemas of signals"):
            signals_in(document)
