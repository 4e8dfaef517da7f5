"""Declaring signals: what the class keywords give, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import Field, ValidationError

from oyez.schemas import Catalogue, SchemaError, Signal, UnknownSignal
from oyez.schemas.declaration import Declaration
from schemas.signals import PageViewed, SessionStarted, known


def declared(**options: Any) -> Declaration:
    """A signal with the fields a and b, declared in a catalogue of its own."""
    here = Catalogue()
    options = {"name": "made", "catalogue": here} | options

    class Made(Signal, **options):
        a: str = ""
        b: int | None = None

    return here["made"]


def test_keywords_become_the_declaration() -> None:
    one = known["page.viewed"]
    assert one is known[3] is known[PageViewed] is PageViewed.__oyez__
    assert (one.name, one.number, one.model, one.key, one.subject) == (
        "page.viewed",
        3,
        PageViewed,
        "session_id",
        None,
    )
    assert one.requires == {"session.started": "session_id"}
    assert one.remember == timedelta(days=30)
    assert one.topic is None


def test_data_is_frozen_and_unknown_fields_are_refused() -> None:
    view = PageViewed(session_id="s1", url="/")
    with pytest.raises(ValidationError, match="frozen"):
        view.url = "/other"  # type: ignore[misc] # that is what is tested
    with pytest.raises(ValidationError, match="Extra inputs"):
        PageViewed(session_id="s1", url="/", extra=1)  # type: ignore[call-arg]


def test_a_base_without_a_name_passes_its_options_on() -> None:
    here = Catalogue()

    class Base(Signal, key="site", topic="sites", remember=None, catalogue=here):
        site: str

    class Opened(Base, name="site.opened", number=1, subject="site"):
        pass

    class Closed(Base, name="site.closed", topic="closings"):
        pass

    assert [one.name for one in here] == ["site.opened", "site.closed"]
    assert (here[Opened].key, here[Opened].topic, here[Opened].remember) == ("site", "sites", None)
    assert (here[Closed].key, here[Closed].topic, here[Closed].number, here[Closed].subject) == (
        "site",
        "closings",
        None,
        None,
    )
    with pytest.raises(UnknownSignal, match="Base is not in the catalogue: give it a name"):
        here[Base]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "3rd"}, "name='3rd' is not valid; use a letter"),
        ({"name": "a" * 201}, "200 at most"),
        ({"name": "new\nline"}, "is not valid"),
        ({"name": None}, "name=None is not valid"),
        ({"number": 0}, "number=0 is not valid; use a positive whole number"),
        ({"number": -3}, "number=-3"),
        ({"number": True}, "number=True"),
        ({"number": "3"}, "number='3'"),
        ({"key": "c"}, "key names the field 'c', which does not exist; it has: a, b"),
        ({"subject": "c"}, "subject names the field 'c', which does not exist"),
        ({"requires": {SessionStarted: "c"}}, r"requires\['session.started'\] names the field 'c'"),
        ({"requires": {SessionStarted: None}}, "give a field's name"),
        ({"requires": [SessionStarted]}, "use a dict of signal -> field"),
        ({"requires": {PageViewed: "a"}}, "'page.viewed', which has no subject; give that signal subject="),
        ({"requires": {Signal: "a"}}, "which is no named signal"),
        ({"requires": {"made": "a"}}, "'made', which has no subject"),
        ({"requires": {"made": "a"}, "subject": "a"}, "requires itself by its own subject field 'a'"),
        ({"remember": 30}, "use a positive timedelta, or None for ever"),
        ({"remember": timedelta(0)}, "use a positive timedelta"),
        ({"topic": "no spaces"}, "topic='no spaces' is not valid"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        declared(**options)
    assert "Made" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_signal_may_require_itself_with_another_subject() -> None:
    assert declared(subject="a", requires={"made": "b"}).requires == {"made": "b"}


def test_a_field_that_would_not_be_read_back_is_refused() -> None:
    with pytest.raises(SchemaError, match="'url' is written as 'URL' but not read under that name"):

        class Odd(Signal, name="odd", catalogue=Catalogue()):
            url: str = Field(serialization_alias="URL")


def test_key_and_subject_are_text() -> None:
    one = declared(key="b", subject="a")
    data = one.model.model_validate({"a": "x", "b": 7})
    assert (one.key_of(data), one.subject_of(data)) == ("7", "x")
    assert one.key_of(one.model()) is None
    assert PageViewed.__oyez__ is not None
    assert PageViewed.__oyez__.subject_of(PageViewed(session_id="s1", url="/")) is None


def test_a_keyword_that_is_none_is_refused() -> None:
    """A prerequisite under a wrong name would be none at all."""
    with pytest.raises(SchemaError, match=r"Placed: there is no keyword require=; did you mean requires\?"):

        class Placed(Signal, name="keyword.placed", require={"opened": "order"}):  # type: ignore[call-arg]
            order: str


def test_pydantics_keywords_and_those_of_a_class_in_between_are_left_to_them() -> None:
    taken = []

    class Own(Signal, title="own"):
        def __init_subclass__(cls, *, color: str, **options: Any) -> None:
            taken.append(color)
            super().__init_subclass__(**options)

    class Painted(Own, name="keyword.painted", color="red", str_strip_whitespace=True):
        text: str

    assert taken == ["red"]
    assert Painted(text=" a ").text == "a"
