"""What the announcer keeps for each signal, so that announcing one event looks nothing up."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from oyez.schemas import Catalogue, InvalidEvent, Signal, UnknownSignal
from oyez.schemas.declaration import Declaration
from oyez.schemas.errors import reasons
from oyez.schemas.text import MAX_TEXT, flaw, text_of

from .filling import json_with_key, with_key
from .session import bound_session


@dataclass(frozen=True, slots=True)
class Route:
    """Where a signal's events go and which of their fields identify things."""

    name: str
    topic: str
    key: "attrgetter[Any] | None"
    subject: "attrgetter[Any] | None"
    required: tuple[str, ...]
    """The fields with the subjects of required signals, other than the key and the subject."""

    @classmethod
    def of(cls, declaration: Declaration, topic: str) -> Self:
        """The route of a signal; `topic` is for signals without one of their own."""
        said = (declaration.key, declaration.subject)
        return cls(
            name=declaration.name,
            topic=declaration.topic or topic,
            key=attrgetter(declaration.key) if declaration.key else None,
            subject=attrgetter(declaration.subject) if declaration.subject else None,
            required=tuple(dict.fromkeys(f for f in declaration.requires.values() if f not in said)),
        )

    def identify(self, data: Signal, key: str | None) -> tuple[str | None, str | None]:
        """The key, chosen, and the subject of an event. InvalidEvent: one of its texts cannot be used."""
        try:
            if key is None and self.key is not None:
                key = self.key(data)
                key = key if type(key) is str else text_of(key)
            if key is None:
                key = bound_session()
            if key is not None and (type(key) is not str or not key or len(key) > MAX_TEXT or "\0" in key):
                check_text(self.name, "the key", key)
            if self.subject is None and not self.required:
                return key, None
            subject = text_of(self.subject(data)) if self.subject else None
            if subject is not key or self.required:
                self._check_subjects(data, subject)
            return key, subject
        except (ValueError, AttributeError):  # pydantic's own; a field that was never given
            self._refuse_text(data)
            raise

    def _check_subjects(self, data: Signal, subject: str | None) -> None:
        check_text(self.name, "the subject", subject)
        for field in self.required:
            check_text(self.name, f"the required {field}", text_of(getattr(data, field)))

    def _refuse_text(self, data: Signal) -> None:
        """InvalidEvent, for the first field of them that has no text."""
        fields = [("the key", self.key), ("the subject", self.subject)]
        fields += [(f"the required {field}", attrgetter(field)) for field in self.required]
        for what, field in fields:
            try:
                text_of(field and field(data))
            except (ValueError, AttributeError) as error:
                reason = " ".join(str(error).split())
                raise InvalidEvent(f"{self.name}: {what} cannot be written as text: {reason}") from None


def check_text(signal: str, what: str, text: object) -> None:
    """InvalidEvent: `text` is neither None nor fit to be an id, key or subject."""
    if text is not None and (reason := flaw(text)):
        raise InvalidEvent(f"{signal}: {what} {reason}")


def name_of(catalogue: Catalogue, signal: Signal | type[Signal] | str | int) -> str | None:
    """The name of a signal, as announce() is given it; None if there is none."""
    try:
        return catalogue[type(signal) if isinstance(signal, Signal) else signal].name
    except UnknownSignal:
        return None


def typed(
    catalogue: Catalogue, signal: Signal | type[Signal] | str | int, data: object, key: str | None
) -> Signal:
    """The event that announce() was given. UnknownSignal, InvalidEvent: it may not be announced."""
    if isinstance(signal, Signal):
        if data is not None:
            raise InvalidEvent(
                f"{type(signal).__name__}: data goes with a signal's name or number, not an object"
            )
        return signal
    declaration = catalogue[signal]
    check_text(declaration.name, "the key", key)  # it may be filled in, as text
    try:
        event = _validated(declaration, data, key)
    except ValidationError as error:
        raise InvalidEvent(f"{declaration.name}: {reasons(error)}") from None
    assert isinstance(event, Signal)  # nothing else is declared
    return event


def _validated(declaration: Declaration, data: object, key: str | None) -> BaseModel:
    """What is given as JSON is validated as JSON, where a date is a text for a strict model too."""
    model = declaration.model
    if isinstance(data, str | bytes):
        return model.model_validate_json(json_with_key(declaration, data, key))
    if isinstance(data, Mapping):
        return model.model_validate(with_key(declaration, data, key))
    raise InvalidEvent(
        f"{declaration.name}: the data must be a dict of its fields, not {data!r:.100}; JSON is given as text"
    )
