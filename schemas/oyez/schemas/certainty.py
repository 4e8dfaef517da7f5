"""Which fields are read as what they were, whatever their type lets through, so that announcing asks no more of them.

A field is certain only if its type is known to be read as it is written, and if nobody can change the value after it
was validated. All else is doubtful: a value of it may be seen to be plain, or the whole event is read again.
"""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from .core_schemas import Definitions, Node, core_schema, fields, resolved, types_in

Plain = Callable[[Any], bool]
"""Whether a value is one of those that are certainly read as what they are."""

LONG = 4_000
_DEEP = 400
"""Bytes that lists of lists take at least which are too deep to be read."""
_TEXTS = frozenset(("str", "date", "uuid", "bytes", "decimal", "timedelta", "datetime"))
_NUMBERS = frozenset(("int", "float"))
_UNCHANGED: Mapping[str, type] = {"str": str, "int": int, "bool": bool, "none": type(None), "uuid": UUID}
"""Types of items that a list, set or dict may have got after it was validated, if nothing more is asked of them."""
_SCALARS: set[type] = {str, int, bool, type(None)}
_LENGTHS = frozenset(("str_max_length", "str_min_length"))
_CHANGING = _LENGTHS | {"str_strip_whitespace", "str_to_lower", "str_to_upper"}
"""What may be configured that asks something of every text in a container too."""
_KNOWN = _CHANGING | {
    "allow_inf_nan",
    "extra_fields_behavior",
    "from_attributes",
    "frozen",
    "hide_input_in_errors",
    "loc_by_alias",
    "regex_engine",
    "revalidate_instances",
    "ser_json_bytes",
    "serialize_by_alias",
    "strict",
    "title",
    "val_json_bytes",
    "validate_by_alias",
    "validate_by_name",
    "validate_default",
}
"""What may be configured, and is understood here."""
_MINUTE = timedelta(minutes=1)


def doubts(model: type[BaseModel]) -> list[tuple[str, Plain]] | None:
    """The doubtful fields of a model, each with what shows that a value is certain; None: all of it is doubtful."""
    node, definitions = core_schema(model)
    config = node.get("config", {})
    if not model.model_config.get("frozen") or not _is_simple(node, definitions, config):
        return None
    judged = [
        (name, _field(one, definitions, config))
        for name, one in fields(resolved(node["schema"], definitions))
    ]
    return [(name, plain) for name, plain in judged if plain is not certain]


def longest(model: type[BaseModel]) -> int:
    """Bytes, up to which certain values are enough: in more can be a whole number with more digits than are read, or
    anything that is computed, since nobody validates that."""
    if model.model_computed_fields:
        return _DEEP
    return LONG if types_in(*core_schema(model)) & {"int", "any"} else sys.maxsize


def certain(_value: Any) -> bool:
    """Nothing has to be looked at."""
    return True


def doubtful(_value: Any) -> bool:
    """Nothing that could be looked at would show it."""
    return False


def _is_simple(node: Node, definitions: Definitions, config: Node) -> bool:
    """Whether a model is no more than its fields."""
    said = "serialization" in node or node.get("custom_init") or node.get("post_init")
    if node["type"] != "model" or said or resolved(node["schema"], definitions)["type"] != "model-fields":
        return False
    if not config.keys() <= _KNOWN or config.get("extra_fields_behavior") == "allow":
        return False
    bytes_alike = config.get("ser_json_bytes") == config.get("val_json_bytes")
    return bytes_alike and bool(config.get("validate_default"))


def _field(field: Node, definitions: Definitions, config: Node) -> Plain:
    alias = field.get("validation_alias")
    if "serialization_exclude_if" in field or not (alias is None or isinstance(alias, str)):
        return doubtful
    return _plain(field["schema"], definitions, config)


def _plain(node: Node, definitions: Definitions, config: Node) -> Plain:
    judge = None if "serialization" in node else _KINDS.get(node["type"])
    return doubtful if judge is None else judge(node, definitions, config)


def _certain(_node: Node, _definitions: Definitions, _config: Node) -> Plain:
    return certain


def _str(node: Node, _definitions: Definitions, config: Node) -> Plain:
    """What is asked of a text is asked before its case is changed, and another case may be longer."""
    is_changed = any(node.get(name, config.get(f"str_{name}")) for name in ("to_upper", "to_lower"))
    is_asked = node.keys() & {"max_length", "min_length", "pattern"} or config.keys() & _LENGTHS
    return doubtful if is_changed and is_asked else certain


def _float(node: Node, _definitions: Definitions, config: Node) -> Plain:
    return _finite if node.get("allow_inf_nan", config.get("allow_inf_nan", True)) else certain


def _finite(value: Any) -> bool:
    return bool(value - value == 0)  # neither infinity nor NaN


def _whole_minutes(value: Any) -> bool:
    """JSON has no seconds in an offset, as times of a century ago have them; and a class of its own may have more."""
    if type(value) is datetime:
        return value.tzinfo is None or value.tzinfo is UTC or not (value.utcoffset() or _MINUTE) % _MINUTE
    return type(value) is time and value.tzinfo is None


def _offset(_node: Node, _definitions: Definitions, _config: Node) -> Plain:
    return _whole_minutes


def _literal(node: Node, _definitions: Definitions, _config: Node) -> Plain:
    return certain if {type(one) for one in node["expected"]} <= _SCALARS - {bool} else doubtful


def _enum(node: Node, _definitions: Definitions, _config: Node) -> Plain:
    kinds = {type(one.value) if isinstance(one, Enum) else None for one in node["members"]}
    return certain if kinds in ({str}, {int}) and not node.get("missing") else doubtful


def _default(node: Node, definitions: Definitions, config: Node) -> Plain:
    """A field may say for itself that its default is not validated."""
    is_validated = node.get("validate_default") is not False
    return _plain(node["schema"], definitions, config) if is_validated else doubtful


def _nullable(node: Node, definitions: Definitions, config: Node) -> Plain:
    plain = _plain(node["schema"], definitions, config)
    return certain if plain is certain else lambda value: value is None or plain(value)


def _named(node: Node, definitions: Definitions, config: Node) -> Plain:
    """Only enumerations: what is named may hold itself."""
    named = resolved(node, definitions)
    return _plain(named, definitions, config) if named["type"] == "enum" else doubtful


def _items(node: Node) -> list[Node]:
    items = node.get("items_schema", {"type": "any"})
    return [items] if isinstance(items, Mapping) else items


def _frozen(node: Node, definitions: Definitions, config: Node) -> Plain:
    return _each(_items(node), definitions, config)


def _each(items: list[Node], definitions: Definitions, config: Node) -> Plain:
    return certain if all(_plain(one, definitions, config) is certain for one in items) else doubtful


def _union(node: Node, definitions: Definitions, config: Node) -> Plain:
    """Certain where JSON shows which of the types was meant: one that is a text, one that is a number."""
    choices = [resolved(one[0] if isinstance(one, tuple) else one, definitions) for one in node["choices"]]
    kinds = [one["type"] for one in choices]
    known = all(kind in _TEXTS | _NUMBERS | {"bool", "none"} for kind in kinds)
    texts = sum(kind in _TEXTS for kind in kinds)
    if known and texts < 2 and node.get("mode", "smart") == "smart":
        return _each(choices, definitions, config)
    return doubtful


def _any(_node: Node, _definitions: Definitions, _config: Node) -> Plain:
    return _plain_json


def _plain_json(value: Any) -> bool:
    """A text, a whole number, true, false or null, or a list or dict of nothing else."""
    if type(value) is dict:
        return _only({str}, value) and _only(_SCALARS, value.values())
    return type(value) in _SCALARS or (type(value) is list and _only(_SCALARS, value))


def _only(kinds: set[type], values: Any) -> bool:
    return kinds.issuperset(map(type, values))


def _container(node: Node, definitions: Definitions, config: Node) -> Plain:
    """Whoever has a list may change it, so what is in it is looked at; what else is asked of it cannot be."""
    asked = node.keys() - {"type", "items_schema", "keys_schema", "values_schema", "metadata"}
    if asked or config.keys() & _CHANGING:
        return doubtful
    if node["type"] != "dict":
        allowed = _allowed(_items(node)[0], definitions)
        return doubtful if allowed is None else lambda value: _only(allowed, value)
    keys = _allowed(node.get("keys_schema", {"type": "any"}), definitions)
    values = _allowed(node.get("values_schema", {"type": "any"}), definitions)
    if keys != {str} or values is None:
        return doubtful
    return lambda value: _only(keys, value) and _only(values, value.values())


def _allowed(node: Node, definitions: Definitions) -> set[type] | None:
    """The types of what may stand there; None: they are not enough to go by."""
    node = resolved(node, definitions)
    if node["type"] == "any":
        return _SCALARS
    if node["type"] == "nullable":
        inner = _allowed(node["schema"], definitions)
        return inner and inner | {type(None)}
    if node.keys() - {"type", "metadata"} or node["type"] not in _UNCHANGED:
        return None
    return {_UNCHANGED[node["type"]]}


_KINDS: Mapping[str, Callable[[Node, Definitions, Node], Plain]] = {
    **dict.fromkeys(("int", "bool", "none", "date", "uuid", "bytes", "decimal", "timedelta"), _certain),
    "str": _str,
    **dict.fromkeys(("datetime", "time"), _offset),
    **dict.fromkeys(("tuple", "frozenset"), _frozen),
    **dict.fromkeys(("list", "set", "dict"), _container),
    "float": _float,
    "literal": _literal,
    "enum": _enum,
    "default": _default,
    "nullable": _nullable,
    "union": _union,
    "any": _any,
    "definition-ref": _named,
}
"""The judgement of each type that is known here; any other is doubtful."""
