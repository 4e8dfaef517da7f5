"""JSON Schema as pydantic writes it, in the words of draft 7, which AsyncAPI's tools read."""

from collections.abc import Mapping
from typing import Any

_LOCAL = "#/$defs/"
_ONE = (
    "items",
    "additionalItems",
    "additionalProperties",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
)
_LISTS = ("items", "allOf", "anyOf", "oneOf")
_MAPS = ("properties", "patternProperties")


def as_draft_7(schema: Mapping[str, Any], base: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema, and the definitions that it refers to, which will stand at `base`, a JSON pointer."""
    rest = {name: value for name, value in schema.items() if name != "$defs"}
    definitions = {name: _converted(one, base) for name, one in schema.get("$defs", {}).items()}
    return _converted(rest, base), definitions


def _converted(node: Any, base: str) -> Any:
    """Only schemas are looked into: a default or an example may be anything."""
    if not isinstance(node, Mapping):
        return node
    found = _without_tuples(node)
    # OpenAPI's discriminator is an object; AsyncAPI's is a text, and says less than the schemas do.
    found.pop("discriminator", None)
    for name in _ONE:
        if isinstance(found.get(name), Mapping):
            found[name] = _converted(found[name], base)
    for name in _LISTS:
        if isinstance(found.get(name), list):
            found[name] = [_converted(one, base) for one in found[name]]
    for name in _MAPS:
        if isinstance(found.get(name), Mapping):
            found[name] = {field: _converted(one, base) for field, one in found[name].items()}
    return _referring(found, base)


def _without_tuples(node: Mapping[str, Any]) -> dict[str, Any]:
    """Draft 7 has the items of a tuple in "items", and the rest beside them."""
    found = dict(node)
    if "prefixItems" in found:
        after = found.pop("items", None)
        found["items"] = found.pop("prefixItems")
        if after is not None:
            found["additionalItems"] = after
    return found


def _referring(found: dict[str, Any], base: str) -> dict[str, Any]:
    """Draft 7 looks at nothing beside a reference."""
    reference = found.get("$ref")
    if not isinstance(reference, str) or not reference.startswith(_LOCAL):
        return found
    there = {"$ref": f"{base}/{reference.removeprefix(_LOCAL)}"}
    rest = {name: value for name, value in found.items() if name != "$ref"}
    return {**rest, "allOf": [there, *rest.get("allOf", ())]} if rest else there
