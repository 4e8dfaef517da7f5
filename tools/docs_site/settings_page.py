"""The page of settings, made of their classes: a setting that is new is there without being written down."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from docs_site.table import table
from oyez.producers.settings_names import OUTSIDE, PREFIX, classes_of_all

HEAD = """# Settings

Every setting, as the code declares it. This page is made when the site is built.
[Commands and settings](../commands.md#settings) says how settings are given, and which wins.

- In the environment a setting has the name `OYEZ_…` that the table gives.
- In `oyez.toml` it has the other name.
- What has parts, such as a list, is JSON in the environment.
"""
COLUMNS = ("in the environment", "in `oyez.toml`", "type", "default", "meaning")


def settings_page() -> str:
    """The page: a part for each class, with what the classes before it have not."""
    seen: set[str] = set()
    return HEAD + "".join(_part(kind, seen) for kind in _sources())


def _sources() -> list[type[Any]]:
    """The classes that declare settings themselves, the more general first, each once."""
    found: list[type[Any]] = []
    for kind in classes_of_all():
        for source in reversed(kind.mro()):
            if (
                vars(source).get("__annotations__")
                and hasattr(source, "model_fields")
                and source not in found
            ):
                found.append(source)
    return [kind for kind in found if kind.__module__.startswith("oyez.")]


def _part(kind: type[Any], seen: set[str]) -> str:
    rows = list(_rows(kind, seen))
    about = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
    return f"\n## {kind.__name__}\n\n{about}\n\n{table(COLUMNS, rows)}" if rows else ""


def _rows(kind: type[Any], seen: set[str]) -> Iterator[tuple[str, ...]]:
    texts = meanings(kind)
    for field in inspect.get_annotations(kind):
        if field not in kind.model_fields or field in seen:
            continue
        seen.add(field)
        info: FieldInfo = kind.model_fields[field]
        name = OUTSIDE.get(field, field)
        yield (
            f"`{PREFIX}{name}`".upper(),
            f"`{name}`",
            f"`{type_text(info.annotation)}`",
            _default(info),
            texts.get(field, ""),
        )


def type_text(kind: Any) -> str:
    """A type in few words: without the checks, and without where it is from."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_text(inside[0])
    if origin in (Union, UnionType):
        return " | ".join(type_text(one) for one in inside)
    if origin is Literal:
        return " | ".join(json.dumps(one) for one in inside)
    if inside:
        return f"{origin.__name__}[{', '.join(type_text(one) for one in inside)}]"
    return {type(None): "None", Ellipsis: "..."}.get(kind) or kind.__name__


def _default(info: FieldInfo) -> str:
    """The default as it would be written in the environment; one that this machine decides is not shown."""
    if info.default_factory is not None and info.default_factory not in (dict, list, tuple):
        return "see there"
    value = info.get_default(call_default_factory=True)
    if value is None or value == "":
        return ""
    text = to_jsonable_python(value, fallback=str)
    return f"`{text if isinstance(text, str) else json.dumps(text)}`"


def meanings(kind: type[Any]) -> Mapping[str, str]:
    """By field, the docstring below it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = text
    return found
