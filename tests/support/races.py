"""Which orders of steps are still to be tried, seen from a run that was made: dynamic partial-order reduction.

Two steps race if they meet and nothing forces their order. Then there must be a run in which the later one, and what
it follows from, comes before the earlier one: some first step of that has to be taken where the earlier one was (a
source set: Abdulla, Aronsson, Jonsson and Sagonas, "Optimal dynamic partial order reduction", 2014).

A step follows from the one before it of its actor; from each before it that it meets; and from the step that let its
actor go on, if it was blocked, or began only after another one. That order is not a race: it cannot be turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .stepping import Step


class Taken(NamedTuple):
    """A step that was taken, which others it could have been, and all that it follows from: a bit for each place in
    the run, its own among them."""

    step: Step
    possible: Sequence[Step]
    after: int


class Race(NamedTuple):
    """The place of the earlier step, and the actors of which one has to be tried there, the likeliest first."""

    place: int
    actors: list[str]


def follow(run: Sequence[Taken], step: Step, possible: Sequence[Step]) -> tuple[Taken, list[Race]]:
    """The next step of a run, and its races with those before it."""
    here = len(run)
    own = next((place for place in reversed(range(here)) if run[place].step.actor == step.actor), -1)
    forced = [place for place in (own, _let_go_by(run, step.actor, own)) if place >= 0]
    met = [place for place in range(here) if _meet(run[place].step, step)]
    after = 1 << here
    for place in (*forced, *met):
        after |= run[place].after
    taken = Taken(step, possible, after)
    whole = [*run, taken]
    races = [
        Race(place, _first(whole, place, here))
        for place in met
        if not any(run[other].after >> place & 1 for other in (*forced, *met) if other > place)
        and place not in forced
    ]
    return taken, races


def _meet(one: Step, other: Step) -> bool:
    return one.actor != other.actor and one.conflicts(other)


def _let_go_by(run: Sequence[Taken], actor: str, own: int) -> int:
    """The place of the last step after the actor's own, ``own``, without which it could not have gone on; -1 if it
    could at once."""
    for place in reversed(range(own + 1, len(run))):
        if all(step.actor != actor for step in run[place].possible):
            return place
    return -1


def _first(run: Sequence[Taken], place: int, last: int) -> list[str]:
    """Of all after ``place`` that does not follow from it, and of ``last``: the actors who can begin."""
    apart = [at for at in range(place + 1, last) if not run[at].after >> place & 1] + [last]
    bits = sum(1 << at for at in apart)
    return [run[at].step.actor for at in reversed(apart) if run[at].after & bits == 1 << at]
