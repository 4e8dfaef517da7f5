"""Values of settings as they may be shown: without passwords, tokens and secret keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .passwords import HIDDEN, shown, without_passwords

_SECRET = re.compile(
    r"password|passphrase|secret|token(?!\.endpoint)|jaas|private|oauthbearer\.config|\.pem$"
)
"""In the name of an option of librdkafka's: its value is a secret."""
_ADDRESS = re.compile(r"(postgresql|postgres|sqlite)(\+\w+)?://")
"""How the address of a database begins. A password may have anything in it."""


def masked(field: FieldInfo, value: Any) -> Any:
    """The value of a setting as it may be shown, in types that JSON has. A field that is left out of `repr()` may have
    a secret in it: of its dictionary the options are shown that are none, or else what its secret keys stand for."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr | SecretBytes) or _is_secret(field.annotation):
        return HIDDEN
    if isinstance(value, Mapping) and not field.repr:
        return _options(value) if _is_flat(value) else _by_secret_key(value)
    if isinstance(value, Mapping | list | tuple | set | frozenset | BaseModel):
        return HIDDEN if not field.repr else _plain(value)
    text = str(value)
    if field.repr:
        return without_passwords(text)
    return shown(text) if _ADDRESS.match(text) else HIDDEN


def without_secret_keys(error: ErrorDetails, fields: Mapping[str, FieldInfo]) -> ErrorDetails:
    """What pydantic has found, without what was said below a field that is left out of `repr()` and has models by key:
    the key may be a secret. What is missing nobody has said: its name is one of ours."""
    field, *below = error["loc"] or ("",)
    info = fields.get(str(field))
    if not below or info is None or info.repr or not _has_models(info.annotation):
        return error
    ours = below[1:][-1:] if error["type"] == "missing" else []
    return {**error, "loc": (field, HIDDEN, *ours)}


def _is_secret(annotation: Any) -> bool:
    """Whether values are secrets by their type, also one that was not checked yet, and so has another."""
    return annotation in (SecretStr, SecretBytes) or any(map(_is_secret, get_args(annotation)))


def _has_models(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(_has_models, get_args(annotation)))


def _options(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if _SECRET.search(name.lower()) else _plain(value) for name, value in said.items()}


def _by_secret_key(said: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{HIDDEN} {number}": _plain(value) for number, value in enumerate(said.values(), 1)}


def _is_flat(said: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, Mapping | list | tuple | BaseModel) for value in said.values())


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if isinstance(value, SecretStr | SecretBytes):
        return HIDDEN
    return value if value is None or isinstance(value, bool | int | float) else without_passwords(str(value))
