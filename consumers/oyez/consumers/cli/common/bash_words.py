"""The words of a line in bash as somebody has typed them: bash itself splits them at `:` and `=`."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

WORDS, AT = "COMP_WORDS", "COMP_CWORD"


def rejoin(environment: MutableMapping[str, str]) -> None:
    """Put words together again in what bash says of the line that it completes, such as `shop:on`."""
    at = environment.get(AT, "")
    if WORDS in environment and at.isdecimal():
        words, place = rejoined(environment[WORDS].split("\n"), int(at))
        environment.update({WORDS: "\n".join(words), AT: str(place)})


def rejoined(words: Sequence[str], at: int) -> tuple[list[str], int]:
    """The words, and the place of the one that was at ``at``, which is being completed.

    An option's own `=` stays a word before that one: what is completed is what comes after it.
    """
    found: list[str] = []
    place = at
    for number, word in enumerate(words):
        if found and word and any(_joins(words, one, found[-1], at) for one in (number - 1, number)):
            found[-1] += word
        else:
            found.append(word)
        if number == at:
            place = len(found) - 1
    return found, place


def _joins(words: Sequence[str], number: int, begun: str, at: int) -> bool:
    """Whether this word is a mark at which bash has split the one that has ``begun`` so."""
    word = words[number]
    if word == "=":
        return begun.startswith("--") and number + 1 < at
    return word != "" and not word.strip(":")
