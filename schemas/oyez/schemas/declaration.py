"""What a signal's class keywords said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel

from .text import text_of


class Prerequisite(NamedTuple):
    """A prerequisite: that `signal` has been handled for `subject`."""

    signal: str
    subject: str


@dataclass(frozen=True, eq=False, slots=True)
class Declaration:
    """A signal as declared. `key`, `subject` and the values of `requires` are names of fields of `model`."""

    name: str
    number: int | None
    model: type[BaseModel]
    key: str | None
    subject: str | None
    requires: Mapping[str, str]
    """The required signal's name -> the field of this signal that holds its subject."""
    remember: timedelta | None
    """For how long it is remembered that a subject was handled; None: for ever."""
    topic: str | None
    """The signal's own topic; None: the one that is set for all."""
    version: int = 1
    """Of its data."""
    upcasts: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    """What brings data of an older version up to the next one, by the older."""

    def key_of(self, data: Any) -> str | None:
        """The key that `data` holds, as text; None when the signal has no key field or the field is null."""
        return None if self.key is None else text_of(getattr(data, self.key))

    def subject_of(self, data: Any) -> str | None:
        """What the event is about, as text; None when the signal has no subject or the field is null."""
        return None if self.subject is None else text_of(getattr(data, self.subject))


def required_prerequisites(requires: Mapping[str, str], data: Any) -> tuple[Prerequisite, ...]:
    """The prerequisites of `data`. A null field is no requirement; subjects compare as text."""
    prerequisites = []
    for name, held_in in requires.items():
        subject = text_of(getattr(data, held_in))
        if subject is not None:
            prerequisites.append(Prerequisite(name, subject))
    return tuple(prerequisites)
