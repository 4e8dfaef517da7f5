"""Copies that nobody has validated: marked, so that announcing them does."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def unsure(model: M) -> M:
    """Marked where its fields stand, so that copies are marked too."""
    model.__dict__["__oyez_unsure__"] = True
    return model


class _Copy:
    """pydantic's old name of `model_copy`, on an instance.

    On the class it is pydantic's own, by which pydantic sees that a field with this name has no default.
    """

    def __get__(self, model: BaseModel | None, owner: type[BaseModel]) -> Callable[..., Any]:
        if model is None:
            return BaseModel.copy
        return lambda **changes: _copied(model, **changes)


def _copied(model: BaseModel, **changes: Any) -> BaseModel:
    """It validates neither what is updated, nor that nothing is missing."""
    copied = BaseModel.copy(model, **changes)
    is_whole = not changes.get("update") and changes.get("include") is None and changes.get("exclude") is None
    return copied if is_whole else unsure(copied)


class MarksCopies:
    """What `copy(update=…)` makes of a model is marked."""

    __slots__ = ()
    copy = _Copy()
