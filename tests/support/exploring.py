"""All interleavings of actors that are stepped: every order of their steps that can make a difference.

Depth first, each run from the start (stateless). Of two orders that differ only in steps next to one another
that do not conflict, one is enough. A step is tried in another's place only if a run has shown that it, or what it
leads to, meets that one (`races`); sleep sets (Godefroid, 1996) leave out what is like an earlier run all the same.

What several actors that one step wakes do next is not of our choosing. A run that has to begin like an earlier one,
and does not, is taken to its end all the same, and checked like any other. Then the one that was meant is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .races import Taken, follow
from .stepping import Step

TRIES = 20  # of a run, before it is said that it cannot be repeated
Choose = Callable[[Sequence[Step]], Step]


@dataclass
class Fork:
    """A point of a run at which one of several steps may be next: any, to begin with, then those of the actors that
    are wanted."""

    possible: list[Step]
    asleep: list[Step]
    taken: list[Step] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    place: Taken | None = None

    @property
    def now(self) -> Step:
        return self.taken[-1]

    def turn(self) -> bool:
        """Take the next step that is worth taking; False if there is none."""
        done = self._done()
        fresh = [step for step in self.possible if step.actor not in done]
        if self.taken:
            fresh = [step for step in fresh if step.actor in self.wanted]
        if fresh:
            self.taken.append(fresh[0])
            self.place = None
        return bool(fresh)

    def want(self, actors: Sequence[str]) -> None:
        """One of these actors has to be tried here."""
        if not {*actors} & (self._done() | self.wanted):
            self.wanted.add(actors[0])

    def _done(self) -> set[str]:
        return {step.actor for step in (*self.asleep, *self.taken)}

    def asleep_after(self) -> list[Step]:
        """Steps that need not be taken next: taken before instead, they lead to the same."""
        return [step for step in (*self.asleep, *self.taken[:-1]) if not step.conflicts(self.now)]


@dataclass
class Explored:
    """How many runs were made to their end, how many were given up as like an earlier one, and how many took another
    course than the one that was meant."""

    runs: int = 0
    repeated: int = 0
    strayed: int = 0


class Repeated(Exception):
    """Whatever comes next, this run will be like an earlier one."""


class _Run:
    def __init__(self, path: list[Fork]) -> None:
        self._path = path
        self._depth = 0
        self.strayed = ""

    def choose(self, possible: Sequence[Step]) -> Step:
        if self.strayed:
            return possible[0]
        if self._depth == len(self._path):
            asleep = self._path[-1].asleep_after() if self._path else []
            fork = Fork(list(possible), asleep)
            if not fork.turn():
                raise Repeated
            self._path.append(fork)
        fork = self._path[self._depth]
        if fork.possible != list(possible):
            self.strayed = f"{fork.possible}, then {possible}"
            return possible[0]
        self._depth += 1
        return fork.now


def explore(play: Callable[[Choose], None], most: int = 1_000) -> Explored:
    """Call ``play`` with a chooser for every interleaving; AssertionError if there are more than ``most``."""
    explored = Explored()
    path: list[Fork] = []
    while True:
        try:
            _follow(path, play, explored)
            explored.runs += 1
        except Repeated:
            explored.repeated += 1
        assert explored.runs <= most, f"more than {most} interleavings"
        _find_races(path)
        while path and not path[-1].turn():
            path.pop()
        if not path:
            return explored


def _follow(path: list[Fork], play: Callable[[Choose], None], explored: Explored) -> None:
    """Make a run that begins as ``path`` says, and make the path as long as the run."""
    for _ in range(TRIES):
        run = _Run(path)
        play(run.choose)
        if not run.strayed:
            return
        explored.strayed += 1
    raise AssertionError(f"the run did not repeat itself: {run.strayed}")


def _find_races(path: Sequence[Fork]) -> None:
    """Want what is still to be tried, now that the run has shown who meets whom."""
    run: list[Taken] = []
    for fork in path:
        if fork.place is None:
            fork.place, races = follow(run, fork.now, fork.possible)
            for race in races:
                path[race.place].want(race.actors)
        run.append(fork.place)
