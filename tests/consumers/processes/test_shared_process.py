"""Several workers in one process, as the supervisor keeps them: real processes, real signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from oyez.consumers.processes.dealing import deal
from oyez.consumers.processes.spec import ProcessSpec
from support.processes import Program
from support.waiting import eventually

NAMES = ("a", "b", "c")


class Household:
    """A supervisor, and what its workers say."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.folder = folder
        given = (str(folder), str(processes), *NAMES)
        self.program = Program(folder / "log", "consumers.processes.household", *given, env={})
        self.becomes(lambda: all(len(self.begun(name)) == 1 for name in NAMES))

    def begun(self, name: str) -> list[int]:
        """The processes in which it has begun, in their order."""
        said = [line.split() for line in self.program.output().splitlines()]
        return [int(one[2]) for one in said if one[:2] == ["begun", name]]

    def count(self, what: str, name: str) -> int:
        return self.program.output().count(f"{what} {name} ")

    def tell(self, name: str, what: str) -> None:
        made = self.folder / f"{name}.new"
        made.write_text(what)
        made.rename(self.folder / f"{name}.do")

    def becomes(self, condition: object) -> None:
        try:
            eventually(condition, 60)  # type: ignore[arg-type]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.program.output()}") from None

    def until_begun(self, times: int, *names: str) -> None:
        self.becomes(lambda: all(len(self.begun(name)) == times for name in names))


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """Three in one process."""
    made = Household(tmp_path, 1)
    assert len({made.begun(name)[0] for name in NAMES}) == 1
    yield made
    made.program.end()


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_when_one_ends_the_process_each_has_one_of_its_own(household: Household, how: str) -> None:
    household.tell("b", how)
    household.until_begun(2, *NAMES)
    assert len({household.begun(name)[-1] for name in NAMES}) == 3
    os.kill(household.begun("b")[-1], signal.SIGKILL)
    household.until_begun(3, "b")
    assert [len(household.begun(name)) for name in NAMES] == [2, 3, 2], "the others live"
    assert household.program.stop() == signal.SIGTERM
    assert [household.count("ended", name) for name in NAMES] == [1, 1, 1]


def test_when_an_error_ends_one_the_others_finish_and_go_on_together(household: Household) -> None:
    household.tell("b", "fail")
    household.until_begun(2, *NAMES)
    a, b, c = (household.begun(name)[-1] for name in NAMES)
    assert a == c != b
    assert [household.count("ended", name) for name in NAMES] == [1, 0, 1], "nobody was cut"
    assert household.program.output().count("ValueError: as asked") == 1
    household.tell("b", "fail")
    household.until_begun(3, "b")
    assert [len(household.begun(name)) for name in NAMES] == [2, 3, 2]
    assert household.program.stop() == signal.SIGTERM


def test_one_that_moves_leaves_the_others_where_they_are(household: Household) -> None:
    household.tell("b", "move")
    household.until_begun(2, "b")
    assert [len(household.begun(name)) for name in NAMES] == [1, 2, 1]
    assert household.begun("b")[0] != household.begun("b")[1]
    household.tell("b", "move")
    household.tell("a", "move")
    household.tell("c", "move")
    household.until_begun(2, *NAMES)
    assert len({household.begun(name)[-1] for name in NAMES}) == 3
    assert household.program.stop() == signal.SIGTERM


def test_one_that_is_busy_gets_a_process_of_its_own_after_its_batch(household: Household) -> None:
    household.tell("b", "work")
    household.until_begun(2, "b")
    assert household.count("ended", "b") == 1, "it was not cut"
    household.tell("b", "work")
    household.tell("a", "work")
    household.until_begun(2, "a")
    assert [len(household.begun(name)) for name in NAMES] == [2, 2, 1], "nobody moves twice"
    household.tell("c", "work")
    household.becomes(lambda: not (household.folder / "c.do").exists())
    assert household.program.stop() == signal.SIGTERM
    assert [len(household.begun(name)) for name in NAMES] == [2, 2, 1], "c is beside nobody any more"


def test_sigterm_of_the_process_ends_it_after_what_each_has_in_hand(household: Household) -> None:
    os.kill(household.begun("a")[0], signal.SIGTERM)
    household.until_begun(2, *NAMES)
    assert len({household.begun(name)[-1] for name in NAMES}) == 1
    assert [household.count("ended", name) for name in NAMES] == [1, 1, 1]


def test_workers_are_dealt_evenly_and_those_of_a_group_apart() -> None:
    specs = [ProcessSpec(f"{group}[{n}]", group, lambda _: None) for group in "abcde" for n in range(2)]
    for processes in range(2, 12):
        dealt = deal(specs, processes)
        assert sorted(one.name for some in dealt for one in some) == sorted(one.name for one in specs)
        assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
        assert all(len({one.group for one in some}) == len(some) for some in dealt)
        assert dealt == deal(specs, processes)
    assert deal(specs, None) == [[one] for one in specs]
