"""The key, filled into data that lacks it."""

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic_core import PydanticUndefined, from_json, to_json

from oyez.schemas.declaration import Declaration

Alias = str | AliasPath


def with_key(declaration: Declaration, data: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    """The data, with `key` in its key field if that is given under none of its names."""
    filled = dict(data)
    name = _missing(declaration, filled, key)
    return filled if name is None else {**filled, name: key}


def json_with_key(declaration: Declaration, data: str | bytes, key: str | None) -> str | bytes:
    """The same for a JSON object as text: what is in it stays as it is, to its last digit."""
    found = _json(data) if key is not None else None
    name = _missing(declaration, found, key) if isinstance(found, dict) else None
    if name is None:
        return data
    text = data.encode() if isinstance(data, str) else data
    rest = text[text.index(b"{") + 1 :]
    return b"{" + to_json(name) + b":" + to_json(key) + (b"," if found else b"") + rest


def _missing(declaration: Declaration, data: Mapping[str, Any], key: str | None) -> str | None:
    """The name under which the key has to be filled in, if it has to be."""
    field = declaration.key
    if field is None or key is None:
        return None
    names = _names(declaration.model, field)
    if any(_is_in(data, name) for name in names):
        return None
    return next((name for name in reversed(names) if isinstance(name, str)), None)


def _names(model: type[BaseModel], field: str) -> list[Alias]:
    """Where a field may be given, the name that it has in Python last."""
    alias = model.model_fields[field].validation_alias
    aliases: list[Alias] = []
    if alias is not None and model.model_config.get("validate_by_alias", True):
        aliases += alias.choices if isinstance(alias, AliasChoices) else [alias]
    by_name = alias is None or model.model_config.get("validate_by_name")
    return [*aliases, field] if by_name else aliases


def _is_in(data: Mapping[str, Any], name: Alias) -> bool:
    if isinstance(name, AliasPath):
        return name.search_dict_for_path(dict(data)) is not PydanticUndefined
    return name in data


def _json(data: str | bytes) -> Any:
    """None for what is no JSON: pydantic says why."""
    try:
        return from_json(data)
    except (ValueError, TypeError):  # a TypeError for a text that UTF-8 cannot express
        return None
