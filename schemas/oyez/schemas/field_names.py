"""The names under which fields are written and read."""

from collections.abc import Iterator
from typing import Any

from .core_schemas import Node, fields

Path = tuple[str | int, ...]


def misnamed(node: Node, config: Node) -> Iterator[tuple[str, str]]:
    """The fields of a node that are not read from where they are written, each with the reason."""
    given = dict(fields(node))
    written: dict[str, str] = {}
    for name, field in (given | _computed(node)).items():
        if field.get("serialization_exclude") or field.get("init_only"):
            yield name, "is left out when the data is written (exclude=True, InitVar)"
        as_name = written_as(name, field, config)
        if as_name in written:
            yield name, f"is written as {as_name!r}, as the field {written[as_name]!r} is"
        written[as_name] = name
    for as_name, name in written.items():
        if name not in given:
            if _takes_extra(node, config):
                yield (
                    name,
                    "is computed, but would be read as an extra field; declare it without computed_field",
                )
        elif reason := _misread(name, as_name, given[name], config, written):
            yield name, reason


def _computed(node: Node) -> dict[str, Node]:
    """The fields that are written and not read."""
    found = node.get("computed_fields", ())
    return {one["property_name"]: {"serialization_alias": one.get("alias")} for one in found}


def _takes_extra(node: Node, config: Node) -> bool:
    return bool(node.get("extra_behavior", config.get("extra_fields_behavior")) == "allow")


def written_as(name: str, field: Node, config: Node) -> str:
    """The name of a field in JSON."""
    alias: str = field.get("serialization_alias") or name
    return alias if config.get("serialize_by_alias") else name


def read_from(name: str, field: Node, config: Node) -> list[Path]:
    """Where a field is looked for in JSON, in this order."""
    alias = field.get("validation_alias")
    by_name: list[Path] = [(name,)]
    if alias is None:
        return by_name
    found = _paths(alias) if config.get("validate_by_alias", True) else []
    if config.get("validate_by_name") or config.get("populate_by_name"):
        found += by_name
    return found


def _misread(name: str, as_name: str, field: Node, config: Node, written: dict[str, str]) -> str | None:
    if field.get("serialization_exclude"):
        return None
    places = read_from(name, field, config)
    if (as_name,) not in places:
        return (
            f"is written as {as_name!r} but not read under that name; use alias= instead of "
            "serialization_alias=, and serialize_by_alias=True in a model that is none of a signal"
        )
    earlier = places[: places.index((as_name,))]
    taken = next((str(first) for first, *_ in earlier if first in written), None)
    return taken and f"is read from {taken!r} too, as which the field {written[taken]!r} is written"


def _paths(alias: Any) -> list[Path]:
    if isinstance(alias, str):
        return [(alias,)]
    return [tuple(one) for one in alias] if alias and isinstance(alias[0], list) else [tuple(alias)]
