"""The signals as JSON Schema documents."""

from typing import Any

from .catalogue import Catalogue, catalogue
from .declaration import Declaration
from .versions import FIRST

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(declaration: Declaration) -> dict[str, Any]:
    """The JSON Schema of one signal's data as it is written, with what else was declared as `x-oyez-…`."""
    said = {
        "x-oyez-signal": declaration.name,
        "x-oyez-number": declaration.number,
        "x-oyez-key": declaration.key,
        "x-oyez-subject": declaration.subject,
        "x-oyez-requires": dict(declaration.requires) or None,
        "x-oyez-topic": declaration.topic,
        "x-oyez-version": None if declaration.version == FIRST else declaration.version,
        "x-oyez-upcasts": sorted(declaration.upcasts) or None,
    }
    schema = declaration.model.model_json_schema(mode="serialization")
    return {
        "$schema": _DIALECT,
        "$id": f"urn:oyez:signal:{declaration.name}",
        **schema,
        **{name: value for name, value in said.items() if value is not None},
    }


def json_schemas(catalogue: Catalogue = catalogue) -> dict[str, dict[str, Any]]:
    """The JSON Schema of every signal, by its name."""
    return {one.name: json_schema(one) for one in catalogue}


def bundle(catalogue: Catalogue = catalogue) -> dict[str, Any]:
    """One document that holds every signal's schema under `$defs`, each with its own `$id`."""
    return {"$schema": _DIALECT, "$id": "urn:oyez:signals", "$defs": json_schemas(catalogue)}
