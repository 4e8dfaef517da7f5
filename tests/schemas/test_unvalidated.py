"""What pydantic lets into a signal without validating it is held to the same when it is announced."""

import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from oyez.schemas import Catalogue, InvalidEvent, Signal, decode
from oyez.schemas.checking import Check
from oyez.schemas.encoding import Encoder

here = Catalogue()


class Account(Signal, name="account", catalogue=here, frozen=False):
    n: int = 0
    share: float = 0.5
    owner: str = ""
    opened: date = date(2024, 5, 1)
    numbers: tuple[int, ...] = ()


class Payment(Signal, name="payment", catalogue=here):
    a: int
    note: str = ""


def announced(signal: Signal, catalogue: Catalogue = here) -> Any:
    """The data as it is read; InvalidEvent: it may not be announced."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = Encoder("web", catalogue).encode(
            signal, id="1", time="2024-01-01T00:00:00Z", key=None, subject=None
        )
    return decode(value, (), None, catalogue).data


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("n", "many"),
        ("n", None),
        pytest.param("n", 10**4301, id="digits"),
        ("share", float("inf")),
        ("owner", 5),
        ("opened", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("numbers", [1, 2]),
    ],
)
def test_what_was_assigned(field: str, wrong: object) -> None:
    account = Account()
    setattr(account, field, wrong)
    with pytest.raises(InvalidEvent, match=field if field != "n" else "Account: "):
        announced(account)
    setattr(account, field, getattr(Account(), field))
    assert announced(account) == account


def test_what_was_deleted() -> None:
    account = Account()
    del account.owner
    with pytest.raises(InvalidEvent, match="owner"):
        announced(account)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (str, Field(None, validate_default=False)),
        (Annotated[str, Field(validate_default=False)], None),
        (int, Field(5, ge=10, validate_default=False)),
        (float, Field("nan", validate_default=False)),
        (tuple[int, ...], Field([1], validate_default=False)),
        (str | None, Field(7, validate_default=False)),
    ],
)
def test_a_default_that_is_not_validated(kind: Any, field: Any) -> None:
    catalogue = Catalogue()
    space = {"__annotations__": {"x": kind}, "__module__": __name__, "x": field}
    made = type(Signal)("Made", (Signal,), space, name="made", catalogue=catalogue)
    with pytest.raises(InvalidEvent, match="x: "):
        announced(made(), catalogue)


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")
@pytest.mark.parametrize(
    "copied",
    [
        lambda payment: payment.copy(update={"a": "zzz"}),
        lambda payment: payment.copy(update={"a": "zzz"}).copy(),
        lambda payment: payment.copy(update={"a": "zzz"}).model_copy(deep=True),
        lambda payment: payment.copy(exclude={"a"}),
        lambda payment: payment.copy(include={"note"}),
    ],
)
def test_a_copy_by_the_old_name(copied: Callable[[Payment], Payment]) -> None:
    with pytest.raises(InvalidEvent, match="a: "):
        announced(copied(Payment(a=1)))


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")
def test_a_copy_by_the_old_name_that_is_valid() -> None:
    payment = Payment(a=1, note="x")
    whole = payment.copy()
    assert whole == payment
    assert not whole.__oyez_unsure__
    assert announced(payment.copy(update={"a": 2})) == Payment(a=2, note="x")


@pytest.mark.filterwarnings("ignore:Field name .copy. in:UserWarning")
def test_a_field_may_have_that_name() -> None:
    class Copied(Signal, name="copied", catalogue=here):
        copy: int

    with pytest.raises(ValidationError, match="Field required"):
        Copied()  # type: ignore[call-arg] # that is the point
    assert announced(Copied(copy=7)).copy == 7


def test_a_signal_that_nobody_can_change_is_still_asked_nothing() -> None:
    assert not Check(here["payment"]).is_needed
