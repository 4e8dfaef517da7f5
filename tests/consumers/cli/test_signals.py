"""`oyez signals` for other tools: an AsyncAPI document, and what has changed since a document was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from consumers.cli.conftest import Invoke

SCHEMA = json.loads((Path(__file__).parents[2] / "support" / "asyncapi" / "3.0.0.json").read_text())


def printed(invoke: Invoke, *arguments: str, code: int = 0) -> Any:
    result = invoke(*arguments)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_the_document_is_asyncapi_3(invoke: Invoke) -> None:
    document = printed(invoke, "signals", "--asyncapi")
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    assert document["info"] == {"title": "clishop", "version": "0.0.0"}
    (channel,) = (one for name, one in document["channels"].items() if name == "oyez.events")
    assert channel["messages"]["cli.ticked"] == {"$ref": "#/components/messages/cli.ticked"}
    assert document["operations"]["handle.clishop.cli.page.viewed.oyez.events"]["action"] == "receive"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate({**document, "operations": {"x": {"action": "announce"}}})


def test_what_is_announced_fits_the_document(invoke: Invoke, tmp_path: Path) -> None:
    document = printed(invoke, "signals", "--asyncapi")
    data = {
        "no": "1",
        "on": "2026-01-01",
        "lasted": "PT1S",
        "proof": "aGk=",
        "amount": "1.5",
        "at": "2026-01-01T00:00:00",
    }
    assert invoke("announce", "cli.measured", "-d", json.dumps(data), "--transport", "spool").exit_code == 0
    event = json.loads(invoke("spool", "cat").stdout)
    payload = document["components"]["messages"]["cli.measured"]["payload"]
    assert payload["schemaFormat"] == "application/schema+json;version=draft-07"
    schema = {**document, **payload["schema"]}
    jsonschema.Draft7Validator(schema).validate(event)
    for wrong in ({"type": "other"}, {"data": {**event["data"], "no": 7}}, {"id": ""}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft7Validator(schema).validate({**event, **wrong})


def test_what_has_changed(invoke: Invoke, tmp_path: Path) -> None:
    before = printed(invoke, "signals", "--json-schema")
    old = tmp_path / "old.json"
    old.write_text(json.dumps(before))
    assert printed(invoke, "signals", "diff", "old.json", "--json") == []

    before["$defs"]["cli.page.viewed"]["properties"]["url"] = {"type": "integer"}
    before["$defs"]["cli.gone"] = {"type": "object", "x-oyez-signal": "cli.gone"}
    del before["$defs"]["cli.ticked"]
    old.write_text(json.dumps(before))
    rows = printed(invoke, "signals", "diff", "old.json", "--json", code=3)
    assert {(row["signal"], row["where"]): row["breaks"] for row in rows if row["signal"] in CHANGED} == {
        ("cli.page.viewed", "url"): ["old readers"],
        ("cli.gone", ""): ["old events"],
        ("cli.ticked", ""): [],
    }
    shown = invoke("signals", "diff", "old.json")
    assert "was integer, and is read as string" in shown.stdout
    assert shown.stderr.splitlines()[-1].startswith("oyez: 3 changes of the signals")


CHANGED = {"cli.page.viewed", "cli.gone", "cli.ticked"}


def test_one_direction_alone(invoke: Invoke, tmp_path: Path) -> None:
    before = printed(invoke, "signals", "903", "--json-schema")
    before["properties"]["more"] = {"type": "string"}
    before["required"].append("more")
    (tmp_path / "old.json").write_text(json.dumps(before))
    rows = printed(invoke, "signals", "diff", "old.json", "--json", code=3)
    assert [row["breaks"] for row in rows if row["signal"] == "cli.page.viewed"] == [["old readers"]]
    assert invoke("signals", "diff", "old.json", "--backward").exit_code == 0


REFUSED = [
    ([], 2, "Missing argument"),
    (["nowhere.json"], 4, "@nowhere.json: there is no such file"),
    (["bad.json"], 2, "bad.json: not JSON"),
    (
        ["list.json"],
        2,
        "list.json: no schemas of signals are in it; `oyez signals list --json-schema` writes them",
    ),
]


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED)
def test_bad_arguments(invoke: Invoke, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "list.json").write_text(json.dumps([{"name": "cli.ticked"}]))
    result = invoke("signals", "diff", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_the_list_is_what_is_meant_without_a_command(invoke: Invoke) -> None:
    assert printed(invoke, "signals", "901", "--json") == printed(invoke, "signals", "list", "901", "--json")
    assert "diff" in invoke("signals", "--help").stdout
    assert invoke("signals").stdout == invoke("signals", "list").stdout
