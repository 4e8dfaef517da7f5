"""Models that take what they do not know: a newer producer may send more than was declared here."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic_core import CoreConfig, SchemaValidator

_SCHEMAS = {
    "config",
    "definitions",
    "extras_schema",
    "items_schema",
    "json_schema",
    "keys_schema",
    "lax_schema",
}
_SCHEMAS |= {"arguments_schema", "python_schema", "schema", "steps", "strict_schema", "values_schema"}
_BY_NAME = frozenset(("fields", "choices"))
_EXTRA = frozenset(("extra_behavior", "extra_fields_behavior"))
_CONFIG = CoreConfig(cache_strings="keys")
"""Texts are mostly new, ids always: to look each up among those read before takes a tenth of reading."""


def tolerant_reader(schema: Any) -> Callable[[bytes], Any]:
    """A function that reads JSON by a core schema: what a model forbids is ignored, at every depth.

    The schema is changed, because to say so with each call takes a fifth as long as reading.
    """
    try:
        return SchemaValidator(_tolerant(schema), _CONFIG, False).validate_json  # it has no public name
    except TypeError:  # a pydantic that has no such argument
        return partial(SchemaValidator(schema, _CONFIG).validate_json, extra="ignore")


def _tolerant(node: Any) -> Any:
    """A schema, or several, with nothing forbidden. Only schemas are looked into: a default may be any dict."""
    if isinstance(node, list | tuple):
        return type(node)(map(_tolerant, node))
    return {key: _inner(key, value) for key, value in node.items()} if isinstance(node, Mapping) else node


def _inner(key: str, value: Any) -> Any:
    if key in _EXTRA:
        return "ignore" if value == "forbid" else value
    if key in _BY_NAME and isinstance(value, Mapping):
        return {name: _tolerant(one) for name, one in value.items()}
    return _tolerant(value) if key in _SCHEMAS | _BY_NAME else value
