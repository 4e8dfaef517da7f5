"""Whether whatever one JSON Schema describes can be read as another: what signals wrote, by what signals are now.

The answer is careful: what cannot be told does not fit. Both schemas are pydantic's, of what is written. A field that
the reader's model gives a default may be missing. What its model does not know is ignored.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

ANNOTATIONS = frozenset(
    (
        "$defs", "$id", "$schema", "$comment", "title", "description", "default", "examples", "example",
        "deprecated", "readOnly", "writeOnly",
    )
)  # fmt: skip
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda written, read: written >= read,
    "exclusiveMinimum": lambda written, read: written >= read,
    "minLength": lambda written, read: written >= read,
    "minItems": lambda written, read: written >= read,
    "minProperties": lambda written, read: written >= read,
    "maximum": lambda written, read: written <= read,
    "exclusiveMaximum": lambda written, read: written <= read,
    "maxLength": lambda written, read: written <= read,
    "maxItems": lambda written, read: written <= read,
    "maxProperties": lambda written, read: written <= read,
}
_HANDLED = {"type", "enum", "const", "anyOf", "oneOf", "discriminator", "properties", "required"}
_HANDLED |= {"additionalProperties", "items", "prefixItems", "$ref", *_BOUNDS, *ANNOTATIONS}
_JSON_TYPES: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null", list: "array", dict: "object",
}  # fmt: skip


class Misfit(NamedTuple):
    """Why something cannot be read: the field, and one line."""

    where: str
    why: str


def misfits(written: Schema, read: Schema) -> list[Misfit]:
    """What keeps data of the one schema from being read by the other; nothing if all of it can be."""
    return list(_Fitting(written, read).node(written, read, ""))


class _Fitting:
    """Compares two documents. A pair of definitions is compared once: within it, it is taken to fit."""

    def __init__(self, written: Schema, read: Schema) -> None:
        self._written = written.get("$defs", {})
        self._read = read.get("$defs", {})
        self._open: set[tuple[str, str]] = set()

    def node(self, written: Any, read: Any, where: str) -> Iterator[Misfit]:
        pair = (_reference(written), _reference(read))
        if pair[0] and pair[1]:
            if pair in self._open:
                return
            self._open.add(pair)
        written, read = _resolved(written, self._written), _resolved(read, self._read)
        if _says_nothing(read):
            return
        branches = _branches(written)
        if branches:
            for branch in branches:
                yield from self.node(branch, read, where)
            return
        choices = _choices(read)
        if choices:
            yield from self._chosen(written, choices, read, where)
            return
        if _says_nothing(written):
            yield Misfit(where, f"may be anything, and is read as {_kind(read)}")
            return
        yield from self._plain(written, read, where)

    def _chosen(self, written: Schema, choices: list[Any], read: Schema, where: str) -> Iterator[Misfit]:
        tag = read.get("discriminator", {}).get("propertyName")
        if tag is not None and not _always_has(written, tag):
            yield Misfit(where, f"may lack {tag}, by which it is told what it is")
            return
        found = [list(self._trial(written, choice, where)) for choice in choices]
        if all(found):
            kinds = " or ".join(dict.fromkeys(_kind(_resolved(one, self._read)) for one in choices))
            yield (
                found[0][0]
                if len(found) == 1
                else Misfit(where, f"was {_kind(written)}, and is read as {kinds}")
            )

    def _trial(self, written: Any, read: Any, where: str) -> Iterator[Misfit]:
        """What is taken to fit within an attempt that fails does not stay so."""
        before = set(self._open)
        found = list(self.node(written, read, where))
        if found:
            self._open = before
        yield from found

    def _plain(self, written: Schema, read: Schema, where: str) -> Iterator[Misfit]:
        if "const" in read or "enum" in read:
            yield from _values(written, read, where)
            return
        values = _listed(written)
        kinds = {_JSON_TYPES[type(one)] for one in values} if values else {written.get("type")}
        wanted = read.get("type")
        if wanted is None or not all(
            kind == wanted or (kind, wanted) == ("integer", "number") for kind in kinds
        ):
            yield Misfit(where, f"was {_kind(written)}, and is read as {_kind(read)}")
            return
        unsure = [
            name for name in read.keys() - _HANDLED if name[:2] != "x-" and written.get(name) != read[name]
        ]
        for name in sorted(unsure):
            yield Misfit(where, f"was not limited by {name} {read[name]!r}")
        yield from _within(written, read, where, values)
        if wanted == "array":
            yield from self._items(written, read, where)
        elif wanted == "object":
            yield from self._members(written, read, where)

    def _items(self, written: Schema, read: Schema, where: str) -> Iterator[Misfit]:
        ours, theirs = written.get("prefixItems", []), read.get("prefixItems", [])
        rest, wanted = written.get("items", True), read.get("items", True)
        if len(ours) < len(theirs):
            ours = [*ours, *[rest] * (len(theirs) - len(ours))]
        for at, one in enumerate(ours):
            yield from self.node(one, theirs[at] if at < len(theirs) else wanted, f"{where}[{at}]")
        if written.get("maxItems", len(ours) + 1) > len(ours):
            yield from self.node(rest, wanted, f"{where}[]")

    def _members(self, written: Schema, read: Schema, where: str) -> Iterator[Misfit]:
        ours, theirs = written.get("properties", {}), read.get("properties", {})
        others = written.get("additionalProperties", "properties" not in written)
        needed = [name for name in read.get("required", []) if not _is_computed(theirs.get(name))]
        for name in needed:
            if name not in written.get("required", []):
                yield Misfit(_below(where, name), "may be missing, and has no default")
        for name, one in theirs.items():
            if name in ours:
                if not _is_computed(one):
                    yield from self.node(ours[name], one, _below(where, name))
            elif others is not False and not _is_computed(one):
                yield from self.node(others, one, _below(where, name))
        wanted = read.get("additionalProperties", True)
        if wanted is False:
            return  # a reader ignores what a model forbids
        for name in ours.keys() - theirs.keys():
            yield from self.node(ours[name], wanted, _below(where, name))
        if others is not False:
            yield from self.node(others, wanted, f"{where}.*")


def _reference(node: Any) -> str:
    return str(node["$ref"]) if isinstance(node, Mapping) and "$ref" in node else ""


def _resolved(node: Any, definitions: Schema) -> Any:
    """A schema without a reference at its top."""
    while isinstance(node, Mapping) and "$ref" in node:
        beside = {name: value for name, value in node.items() if name != "$ref"}
        node = {**definitions.get(node["$ref"].rpartition("/")[2], {}), **beside}
    return {} if node is True else node


def _says_nothing(node: Any) -> bool:
    return isinstance(node, Mapping) and not any(
        name not in ANNOTATIONS and name[:2] != "x-" for name in node
    )


def _branches(written: Any) -> list[Any]:
    """What data of a schema is one of; nothing if that is not said."""
    for name in ("anyOf", "oneOf"):
        if name in written:
            return list(written[name])
    values = _listed(written)
    return [{"const": one} for one in values] if len(values) > 1 else []


def _choices(read: Any) -> list[Any]:
    for name in ("anyOf", "oneOf"):
        if name in read:
            return list(read[name])
    return []


def _listed(node: Schema) -> list[Any]:
    return [node["const"]] if "const" in node else list(node.get("enum", ()))


def _values(written: Schema, read: Schema, where: str) -> Iterator[Misfit]:
    allowed = _listed(read)
    values = _listed(written)
    missing = [
        one for one in values if not any(type(one) is type(other) and one == other for other in allowed)
    ]
    if not values:
        yield Misfit(where, f"was {_kind(written)}, and is read as one of {allowed!r:.100}")
    for one in missing:
        yield Misfit(where, f"may be {one!r:.60}, which is not among {allowed!r:.100}")


def _within(written: Schema, read: Schema, where: str, values: list[Any]) -> Iterator[Misfit]:
    for name, fits in _BOUNDS.items():
        if name not in read:
            continue
        bounds = [_measured(name, one) for one in values] if values else [_bound(written, name)]
        if any(one is None or not fits(one, read[name]) for one in bounds):
            yield Misfit(where, f"was not limited by {name} {read[name]!r}")


def _bound(written: Schema, name: str) -> Any:
    """The bound that is known: one that excludes its end is one that includes it as well."""
    if name in written:
        return written[name]
    excluding = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(name, "")
    return written.get(excluding)


def _measured(name: str, value: Any) -> Any:
    if name in ("minimum", "maximum"):
        return value
    return len(value) if name.endswith("Length") else None


def _always_has(written: Schema, name: str) -> bool:
    """Whether what is written has this field: a field of a model with a default is written too."""
    field = written.get("properties", {}).get(name)
    return name in written.get("required", ()) or (isinstance(field, Mapping) and "default" in field)


def _is_computed(node: Any) -> bool:
    return isinstance(node, Mapping) and node.get("readOnly") is True


def _below(where: str, name: str) -> str:
    return f"{where}.{name}".removeprefix(".")


def _kind(node: Any) -> str:
    """A schema in a few words."""
    if not isinstance(node, Mapping) or _says_nothing(node):
        return "anything" if node is not False else "nothing"
    if choices := _choices(node):
        return " or ".join(dict.fromkeys(map(_kind, choices)))
    if values := _listed(node):
        return f"one of {values!r:.60}"
    if "$ref" in node:
        return str(node["$ref"].rpartition("/")[2])
    return " ".join(filter(None, (str(node.get("type", "anything")), node.get("format"))))
