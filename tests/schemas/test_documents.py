"""JSON Schema documents of the signals."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped] # it has none
from pydantic_core import from_json

from oyez.schemas.documents import bundle, json_schemas
from schemas.signals import PageViewed, Place, SessionStarted, known


def test_every_signal_has_its_schema() -> None:
    schemas = json_schemas(known)
    assert list(schemas) == ["session.started", "page.viewed", "order.paid"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    viewed = schemas["page.viewed"]
    assert viewed["$id"] == "urn:oyez:signal:page.viewed"
    assert viewed["x-oyez-number"] == 3
    assert viewed["x-oyez-key"] == "session_id"
    assert viewed["x-oyez-requires"] == {"session.started": "session_id"}
    assert "x-oyez-subject" not in viewed
    assert schemas["session.started"]["x-oyez-subject"] == "session_id"


def test_what_is_written_fits_the_schema() -> None:
    started = SessionStarted(session_id="s1", place=Place(city="Ulm"))
    schema = json_schemas(known)["session.started"]
    Draft202012Validator(schema).validate(from_json(started.model_dump_json()))
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate({"session_id": 7})


def test_the_bundle_holds_all_and_its_references_resolve() -> None:
    document: dict[str, Any] = bundle(known)
    Draft202012Validator.check_schema(document)
    validator = Draft202012Validator(document | {"$ref": "urn:oyez:signal:session.started"})
    validator.validate({"session_id": "s1", "place": {"city": "Ulm", "postcode": None}})
    with pytest.raises(ValidationError):
        validator.validate({"session_id": "s1", "place": {"city": 7}})
    assert PageViewed.__name__ == document["$defs"]["page.viewed"]["title"]
