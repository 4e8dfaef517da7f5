"""Signals whose data may be a whole event, as those have that pass events of others on."""

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from .declaration import Declaration
from .headers import EXPIRY, TRACE

_MEMBERS = frozenset(
    ("specversion", "type", "source", "id", "time", "partitionkey", "subject", "data", *TRACE, EXPIRY)
)
"""What an event of ours consists of."""


def may_hold_an_event(declaration: Declaration) -> bool:
    """Whether a whole event would do as the data of this signal: it has all that the signal requires."""
    fields = declaration.model.model_fields
    return all(not field.is_required() or _is_member(name, field) for name, field in fields.items())


def _is_member(name: str, field: FieldInfo) -> bool:
    """Of a path into the data nothing is known."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return any(one in _MEMBERS or not (one is None or isinstance(one, str)) for one in (name, *choices))
