"""What pydantic has made of a model: its core schema, walked."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from .errors import SchemaError

Node = Mapping[str, Any]
"""A core schema, or a field in one."""
Definitions = Mapping[str, Node]
"""The core schemas that others name, by the name."""

_READ_AS_JSON = ("schema", "json_schema", "lax_schema", "keys_schema", "values_schema", "extras_schema")
_HOLDING_FIELDS = ("model-fields", "typed-dict", "dataclass-args")


def refuse_incomplete(model: type[BaseModel]) -> None:
    """SchemaError: the model's annotations name what is not known by now, or is nothing that a field may be of."""
    if model.__pydantic_complete__:
        return
    name = model.__qualname__
    try:
        model.model_rebuild(_types_namespace={})  # not what happens to be called so here
    except PydanticUndefinedAnnotation as error:
        raise SchemaError(
            f"{name}: its fields name {error.name!r}, which is not defined; define it, or import it where it is "
            f"named, and call {name}.model_rebuild() if that is in a function"
        ) from None
    except PydanticUserError as error:
        raise SchemaError(f"{name}: {str(error).splitlines()[0]}") from None


def core_schema(model: type[BaseModel]) -> tuple[Node, Definitions]:
    """The core schema of a complete model, with what it names."""
    node: Node = model.__pydantic_core_schema__
    definitions: Definitions = {}
    if node["type"] == "definitions":
        definitions = {one["ref"]: one for one in node["definitions"]}
        node = node["schema"]
    return resolved(node, definitions), definitions


def resolved(node: Node, definitions: Definitions) -> Node:
    """The node that is meant, where this one only names it."""
    while node["type"] == "definition-ref":
        node = definitions[node["schema_ref"]]
    return node


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """What a node is made of where it is read from JSON, each with its name, if it is a field."""
    for key in _READ_AS_JSON:
        if key in node:
            yield "", node[key]
    for key in ("items_schema", "steps", "choices"):
        for one in _several(node.get(key, ())):
            yield "", one
    for name, field in fields(node):
        yield name, field["schema"]


def fields(node: Node) -> list[tuple[str, Node]]:
    """The fields of a node, by their names."""
    found = node["fields"] if node["type"] in _HOLDING_FIELDS else {}
    return list(found.items()) if isinstance(found, Mapping) else [(one["name"], one) for one in found]


def types_in(node: Node, definitions: Definitions) -> set[str]:
    """The types of all nodes below a node, and its own."""
    todo, seen, found = [node], set[str](), set[str]()
    while todo:
        one = todo.pop()
        if one["type"] != "definition-ref":
            found.add(one["type"])
            todo += [child for _, child in children(one)]
        elif one["schema_ref"] not in seen:
            seen.add(one["schema_ref"])
            todo.append(definitions[one["schema_ref"]])
    return found


def _several(found: Any) -> list[Node]:
    if isinstance(found, Mapping):
        return [found] if "type" in found and isinstance(found["type"], str) else list(found.values())
    return [one[0] if isinstance(one, tuple) else one for one in found]
