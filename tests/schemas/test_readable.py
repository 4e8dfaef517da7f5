"""What a type shows: that nobody could read it again, or not as what it was. Such a signal is refused."""

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    FutureDatetime,
    Json,
    PlainSerializer,
    Secret,
    SecretBytes,
    SecretStr,
    StringConstraints,
    ValidationError,
    computed_field,
)

from oyez.schemas import Catalogue, InvalidEvent, SchemaError, Signal, decode
from oyez.schemas.encoding import Encoder

Shouted = Annotated[str, StringConstraints(to_upper=True, max_length=5)]


class Odd:
    pass


class Camel(BaseModel):
    full_name: str = Field(alias="fullName")


class Sent(BaseModel):
    full_name: str = Field(serialization_alias="fullName")


class Loose(BaseModel, extra="allow"):
    pass


class Counted(BaseModel, extra="allow"):
    prices: list[float]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> float:
        return sum(self.prices)


class Hidden(BaseModel):
    token: SecretStr


class Tree(BaseModel):
    below: "list[Tree] | None" = None
    secret: Json[int] | None = None


@dataclass
class Given:
    first: InitVar[int]


def nested(deep: int) -> list[Any]:
    """Lists in lists."""
    return [nested(deep - 1)] if deep else []


def declared(kind: Any, **options: Any) -> tuple[type[Signal], Catalogue]:
    """A signal with a field of this type."""
    here = Catalogue()
    space = {"__annotations__": {"x": kind}, "__module__": __name__, "__qualname__": "Made"}
    return type(Signal)("Made", (Signal,), space, name="made", catalogue=here, **options), here


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Json[int], "the field 'x' is read as a text that holds JSON"),
        (list[Json[Any]] | None, "the field 'x' is read as a text that holds JSON"),
        (SecretStr, "the field 'x' is a secret, which is written as asterisks"),
        (SecretBytes | None, "is a secret"),
        (Secret[int], "is a secret"),
        (dict[str, Hidden], "the field 'x.token' is a secret"),
        (Tree, "the field 'x.secret' is read as a text"),
        (Callable[[], int], "is a function"),
        (type[int], "is a class"),
        (Iterable[int], "is an iterator"),
        (dict[tuple[int, int], str], "has keys that are not read from a text"),
        (dict[None, str], "has keys that are not read from a text"),
        (FutureDatetime, "is compared with the clock"),
        (Annotated[str, Field(exclude=True)], "is left out when the data is written"),
        (Given, "the field 'x.first' is left out"),
        (list[Counted], "the field 'x.total' is computed, but would be read as an extra field"),
        (Camel, "the field 'x.full_name' is written as 'full_name' but not read under that name"),
    ],
)
def test_a_type_that_could_not_be_read_is_refused(kind: Any, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        declared(kind)
    assert str(caught.value).startswith("Made: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_class_without_a_json_form_is_refused() -> None:
    with pytest.raises(SchemaError, match="has no JSON form"):
        declared(Odd, arbitrary_types_allowed=True)


@pytest.mark.parametrize(
    "kind",
    [
        Sent,
        Loose,
        Annotated[SecretStr, PlainSerializer(lambda value: value.get_secret_value())],
        Annotated[Json[int], PlainSerializer(str)],
    ],
)
def test_what_is_written_so_that_it_is_read_is_not(kind: Any) -> None:
    declared(kind)


def test_a_field_that_is_read_from_where_another_is_written_is_refused() -> None:
    with pytest.raises(SchemaError, match="'a' is read from 'b' too, as which the field 'b' is written"):

        class Crossed(Signal, name="crossed", catalogue=Catalogue()):
            a: int = Field(validation_alias=AliasChoices("b", "a"))
            b: int

    with pytest.raises(SchemaError, match="'b' is written as 'n', as the field 'a' is"):

        class Doubled(Signal, name="doubled", catalogue=Catalogue()):
            a: int = Field(alias="n")
            b: int = Field(alias="n")


def test_a_computed_field_that_would_be_read_as_another_is_refused() -> None:
    with pytest.raises(SchemaError, match="Open: the field 'b' is computed, but would be read as an extra"):

        class Open(Signal, name="open", catalogue=Catalogue(), extra="allow"):
            a: int = 0

            @computed_field  # type: ignore[prop-decorator]
            @property
            def b(self) -> int:
                return 1

    with pytest.raises(SchemaError, match="'b' is written as 'a', as the field 'a' is"):

        class Hidden(Signal, name="hidden", catalogue=Catalogue()):
            a: int = 0

            @computed_field(alias="a")  # type: ignore[prop-decorator]
            @property
            def b(self) -> int:
                return 1

    with pytest.raises(SchemaError, match="'a' is read from 'b' too, as which the field 'b' is written"):

        class Crossed(Signal, name="crossed", catalogue=Catalogue()):
            a: int = Field(0, validation_alias=AliasChoices("b", "a"))

            @computed_field  # type: ignore[prop-decorator]
            @property
            def b(self) -> int:
                return 1


@pytest.mark.parametrize("value", [pytest.param(10**4300, id="digits"), pytest.param(nested(199), id="deep")])
def test_what_is_computed_so_that_nobody_can_read_it_is_refused(value: object) -> None:
    here = Catalogue()

    class Computed(Signal, name="computed", catalogue=here):
        a: str = ""

        @computed_field  # type: ignore[prop-decorator]
        @property
        def b(self) -> Any:
            return value if self.a else len(self.a)

    encoder = Encoder("web", here)
    assert encoder.encode(Computed(), id="1", time="2024-01-01T00:00:00Z", key=None, subject=None)
    with pytest.raises(InvalidEvent, match="nobody could read it"):
        encoder.encode(Computed(a="x"), id="1", time="2024-01-01T00:00:00Z", key=None, subject=None)


def test_what_a_signal_has_cached_is_none_of_its_fields() -> None:
    here = Catalogue()

    class Cart(Signal, name="cart", catalogue=here):
        prices: list[float]

        @computed_field  # type: ignore[prop-decorator]
        @cached_property
        def total(self) -> float:
            return sum(self.prices)

    cart = Cart(prices=[1.5])
    assert cart.total == 1.5
    value = Encoder("web", here).encode(cart, id="1", time="2024-01-01T00:00:00Z", key=None, subject=None)
    assert decode(value, (), None, here).data == Cart(prices=[1.5])


def test_a_default_is_validated_as_it_will_be_read() -> None:
    class Sloppy(Signal, name="sloppy", catalogue=Catalogue()):
        x: str = None  # type: ignore[assignment] # as it is often written

    with pytest.raises(ValidationError):
        Sloppy()


def test_what_is_defined_later_is_looked_at_later() -> None:
    here = Catalogue()

    class Early(Signal, name="early", catalogue=here):
        later: "Later"

    class Later(BaseModel):
        token: SecretStr

    Early.model_rebuild()
    with pytest.raises(SchemaError, match=r"Early: the field 'later\.token' is a secret"):
        here.check()
    early = Early(later=Later(token=SecretStr("x")))
    with pytest.raises(SchemaError, match="is a secret"):
        Encoder("web", here).encode(early, id="1", time="", key=None, subject=None)


class Naming(BaseModel):
    there: "Nowhere"  # type: ignore[name-defined] # noqa: F821 # that is the point


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Nowhere", "Made: its fields name 'Nowhere', which is not defined; define it, or import it where"),
        ("list[model]", "Made: its fields name 'model', which is not defined"),
        (list[Naming], "Made: its fields name 'Nowhere', which is not defined"),
        ("Later", "Made: Unable to generate pydantic-core schema for <class '"),
    ],
)
def test_what_is_never_defined_is_refused_when_it_is_needed(
    kind: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, here = declared(kind)
    monkeypatch.setitem(globals(), "Later", Odd)
    value = b'{"specversion":"1.0","type":"made","source":"web","id":"1","data":{"x":1}}'
    for use in (here.check, lambda: here["made"], lambda: here[made], lambda: decode(value, (), None, here)):
        with pytest.raises(SchemaError) as caught:
            use()
        assert str(caught.value).startswith(words)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Any, float("nan"), "x: nan would be read as None"),
        (dict[str, Any], {"a": (1,)}, "x: {'a': (1,)} would be read as {'a': [1]}"),
        pytest.param(int, 10**4300, "nobody could read it: Invalid JSON: number out of range", id="int"),
        (timedelta | str, "P1D", "x: 'P1D' would be read as datetime.timedelta(days=1)"),
        (Shouted, "stra\N{LATIN SMALL LETTER SHARP S}", "at most 5 characters"),
        (frozenset[Shouted], {"stra\N{LATIN SMALL LETTER SHARP S}"}, "at most 5 characters"),
    ],
)
def test_where_only_the_value_shows_it_the_event_is_refused(kind: Any, value: object, words: str) -> None:
    made, here = declared(kind)
    with pytest.raises(InvalidEvent) as caught:
        Encoder("web", here).encode(
            made(x=value), id="1", time="2024-01-01T00:00:00Z", key=None, subject=None
        )
    assert words in str(caught.value)
