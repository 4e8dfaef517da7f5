"""Keys and subjects as text."""

from datetime import date
from enum import Enum, StrEnum
from uuid import UUID

import pytest

from oyez.schemas.declaration import Prerequisite, required_prerequisites
from oyez.schemas.text import flaw, text_of
from schemas.signals import PageViewed


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    BIG = "big"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("s1", "s1"),
        ("", ""),
        (1, "1"),
        (True, "true"),
        (1.5, "1.5"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2024, 5, 1), "2024-05-01"),
        (Colour.RED, "red"),
        (Size.BIG, "big"),
        (b"s1", "czE="),
        (b"\xff\x00", "_wA="),
    ],
)
def test_text_of(value: object, text: str | None) -> None:
    assert text_of(value) == text
    assert type(text_of(value)) in (str, type(None))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ok", None),
        ("ü" * 250, None),
        ('quote" and\nnewline', None),
        ("", "must not be empty"),
        ("a" * 251, "has 251 characters, 250 are allowed"),
        ("a\0b", "must not contain a NUL character"),
        ("\ud800", "contains a lone surrogate, which UTF-8 cannot express"),
        (7, "must be text, not int"),
    ],
)
def test_flaw(text: object, reason: str | None) -> None:
    assert flaw(text) == reason


def test_required_prerequisites_leave_null_fields_out() -> None:
    view = PageViewed(session_id="s1", url="/")
    assert required_prerequisites({"session.started": "session_id"}, view) == (
        Prerequisite("session.started", "s1"),
    )
    assert required_prerequisites({}, view) == ()
    assert required_prerequisites({"x": "session_id"}, view.model_copy(update={"session_id": None})) == ()
    assert required_prerequisites({"x": "session_id"}, view.model_copy(update={"session_id": 7})) == (
        Prerequisite("x", "7"),
    )
