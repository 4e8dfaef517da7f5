"""The list of signals: finding, duplicates, re-definition, and requirements over all of it."""

from typing import Any

import pytest

from oyez.schemas import Catalogue, SchemaError, Signal, UnknownSignal
from oyez.schemas.requirements import find_cycle
from schemas.signals import known


def graph(**requires: list[str]) -> Catalogue:
    """A catalogue of signals with these requirements; every signal has a subject."""
    made = Catalogue()
    for name, names in requires.items():
        options: dict[str, Any] = {"requires": dict.fromkeys(names, "parent")}
        namespace = {
            "__annotations__": {"id": str, "parent": str},
            "__qualname__": name,
            "__module__": __name__,
        }
        made_class: Any = type(Signal)
        made_class(name, (Signal,), namespace, name=name, subject="id", catalogue=made, **options)
    return made


def test_lists_signals_in_order() -> None:
    assert [one.name for one in known] == ["session.started", "page.viewed", "order.paid"]
    assert len(known) == 3
    assert "page.viewed" in known
    assert 3 in known
    assert "page.view" not in known


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ("page.view", "unknown signal 'page.view'; did you mean page.viewed"),
        ("zzz", "known: order.paid, page.viewed, session.started"),
        (4, "unknown signal 4"),
        (True, "unknown signal True"),
        ([1], r"unknown signal \[1\]; known: order"),
        ({"page.viewed": {}}, r"unknown signal \{'page.viewed': \{\}\}; did you mean page.viewed"),
        (bytearray(200), r"unknown signal bytearray.{91}; known"),
        (Signal, "Signal is not in the catalogue"),
    ],
)
def test_unknown_signals(signal: Any, message: str) -> None:
    with pytest.raises(UnknownSignal, match=message):
        known[signal]
    assert signal not in known


def test_an_empty_catalogue_says_so() -> None:
    with pytest.raises(UnknownSignal, match="none; is the module that declares it imported"):
        Catalogue()["page.viewed"]


def test_duplicate_names_and_numbers_are_refused() -> None:
    here = Catalogue()

    class First(Signal, name="first", number=1, catalogue=here):
        pass

    with pytest.raises(SchemaError, match=r"SameName: the name 'first' is taken by .*First; choose another"):

        class SameName(Signal, name="first", catalogue=here):
            pass

    with pytest.raises(SchemaError, match=r"SameNumber: the number 1 is taken by .*First; choose another"):

        class SameNumber(Signal, name="second", number=1, catalogue=here):
            pass

    assert [one.model for one in here] == [First]


def test_the_same_class_defined_again_replaces_itself() -> None:
    here = Catalogue()

    def define(name: str, number: int) -> type[Signal]:
        class Reloaded(Signal, name=name, number=number, catalogue=here):
            pass

        return Reloaded

    first = define("one", 1)
    second = define("one", 1)
    assert here["one"].model is here[1].model is second
    assert first not in here
    define("renamed", 2)
    assert [one.name for one in here] == ["renamed"]
    assert 1 not in here


def test_check_accepts_chains_diamonds_and_self_requirements() -> None:
    known.check()
    graph(a=["b", "c"], b=["d"], c=["d"], d=["d"]).check()


@pytest.mark.parametrize(
    ("requires", "path"),
    [
        ({"a": ["b"], "b": ["a"]}, "a -> b -> a"),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, "b -> c -> b"),
        ({"a": ["a", "b"], "b": ["b", "c"], "c": ["d"], "d": ["a"]}, "a -> b -> c -> d -> a"),
    ],
)
def test_check_refuses_cycles_with_the_path(requires: dict[str, list[str]], path: str) -> None:
    with pytest.raises(SchemaError, match=f"{path}: none of them could ever be handled; take one"):
        graph(**requires).check()


def test_check_refuses_an_unknown_requirement() -> None:
    with pytest.raises(
        SchemaError, match="a: requires names 'nowhere', no known signal; correct it or import"
    ):
        graph(a=["nowhere"]).check()


def test_check_refuses_a_requirement_without_subject() -> None:
    here = Catalogue()

    class Early(Signal, name="early", requires={"late": "id"}, catalogue=here):
        id: str

    class Late(Signal, name="late", catalogue=here):
        id: str

    with pytest.raises(SchemaError, match="Early: requires names 'late', which has no subject"):
        here.check()


def test_find_cycle_follows_long_chains_without_recursion() -> None:
    chain: dict[str, list[str]] = {str(n): [str(n + 1)] for n in range(5000)}
    assert find_cycle(chain) == []
    chain["5000"] = ["4999"]
    assert find_cycle(chain) == ["4999", "5000", "4999"]
