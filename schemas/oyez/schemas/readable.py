"""What a signal's type shows: that what is written could not be read, or not as what it was."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from .core_schemas import Definitions, Node, children, core_schema, refuse_incomplete
from .errors import SchemaError
from .field_names import misnamed

_UNREADABLE = {
    "json": "is read as a text that holds JSON, but written as the value itself; declare that value's type",
    "generator": "is an iterator, which can be read only once; use a list or a tuple",
    "callable": "is a function, which has no JSON form",
    "is-instance": "is of a class that has no JSON form; use a model, or say how it is read and written",
    "is-subclass": "is a class, which has no JSON form",
}
_KEYS = {
    *_UNREADABLE,
    "none",
    "tuple",
    "list",
    "set",
    "frozenset",
    "dict",
    "model",
    "dataclass",
    "typed-dict",
}
"""What a text, as the keys of JSON are, is never read as."""


def refuse_unreadable(model: type[BaseModel]) -> None:
    """SchemaError: no event with such data, or not with all that it may hold, could be read as what was announced.

    Nor of a model that names what is not defined.
    """
    refuse_incomplete(model)
    node, definitions = core_schema(model)
    for where, reason in _flaws(node, definitions, "", {}, set()):
        raise SchemaError(f"{model.__qualname__}: the field {where!r} {reason}")


def _flaws(
    node: Node, definitions: Definitions, where: str, config: Node, seen: set[str]
) -> Iterator[tuple[str, str]]:
    """The fields that are wrong, each with the reason."""
    if node["type"] == "definition-ref":
        if node["schema_ref"] not in seen:
            seen.add(node["schema_ref"])
            yield from _flaws(definitions[node["schema_ref"]], definitions, where, config, seen)
        return
    inner = _config(node, config)
    if reason := _flaw(node, definitions):
        yield where, reason
    elif "serialization" not in node:  # whoever writes it in a way of his own may have made it readable
        for name, reason in misnamed(node, inner):
            yield _below(where, name), reason
        for name, child in children(node):
            yield from _flaws(child, definitions, _below(where, name), inner, seen)


def _flaw(node: Node, definitions: Definitions) -> str | None:
    if "serialization" in node:
        return _hides(node["serialization"])
    if node.get("now_op"):
        return (
            "is compared with the clock, which says something else when it is read; declare it without that"
        )
    if node["type"] == "dict" and _kind(node.get("keys_schema"), definitions) in _KEYS:
        return "has keys that are not read from a text, as which JSON writes them"
    return _UNREADABLE.get(node["type"])


def _kind(node: Node | None, definitions: Definitions) -> Any:
    while node is not None and node["type"] == "definition-ref":
        node = definitions[node["schema_ref"]]
    return node and node["type"]


def _hides(written: Node) -> str | None:
    """pydantic's secrets write asterisks."""
    function: Any = written.get("function")
    if getattr(function, "__module__", "") == "pydantic.types" and "secret" in function.__name__:
        return "is a secret, which is written as asterisks; leave it out, or declare what is to be sent"
    return None


def _config(node: Node, outer: Node) -> Node:
    """The configuration that counts in a node: a model has its own, all else that of what it is in, or its own."""
    if node["type"] == "model":
        found: Node = node.get("config", {})
        return found
    return node.get("config", outer) if node["type"] in ("dataclass", "typed-dict") else outer


def _below(where: str, name: str) -> str:
    return ".".join(filter(None, (where, name)))
