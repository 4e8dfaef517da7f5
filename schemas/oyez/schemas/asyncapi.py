"""The signals as an AsyncAPI 3 document: topics are channels, signals are messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from .declaration import Declaration
from .draft7 import as_draft_7
from .versions import dataschema

VERSION = "3.0.0"
CONTENT_TYPE = "application/cloudevents+json"
_SCHEMA_FORMAT = "application/schema+json;version=draft-07"
_TEXT = {"type": "string", "minLength": 1, "maxLength": 250}


def asyncapi(
    title: str,
    version: str,
    signals: Sequence[Declaration],
    topic: str,
    groups: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """A document of these signals. `topic` is the one of signals that name none; `groups` has, by the name of a
    consumer group, the names of the signals that it handles."""
    topics = {one.name: one.topic or topic for one in signals}
    return {
        "asyncapi": VERSION,
        "info": {"title": title, "version": version},
        "defaultContentType": CONTENT_TYPE,
        "channels": {name: _channel(name, signals, topics) for name in sorted(set(topics.values()))},
        "operations": {
            **{f"announce.{one.name}": _operation("send", topics[one.name], [one.name]) for one in signals},
            **{
                f"handle.{group}.{name}": _operation("receive", name, of_topic)
                for group, handled in groups.items()
                for name, of_topic in _by_topic(handled, topics).items()
            },
        },
        "components": {"messages": {one.name: _message(one) for one in signals}},
    }


def _by_topic(handled: Sequence[str], topics: Mapping[str, str]) -> dict[str, list[str]]:
    """An operation is of one channel."""
    found: dict[str, list[str]] = {}
    for name in handled:
        if name in topics:
            found.setdefault(topics[name], []).append(name)
    return found


def _channel(topic: str, signals: Sequence[Declaration], topics: Mapping[str, str]) -> dict[str, Any]:
    names = [one.name for one in signals if topics[one.name] == topic]
    return {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _operation(action: str, topic: str, names: Sequence[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in names],
    }


def _message(signal: Declaration) -> dict[str, Any]:
    said = {
        "x-oyez-number": signal.number,
        "x-oyez-key": signal.key,
        "x-oyez-subject": signal.subject,
        "x-oyez-requires": dict(signal.requires) or None,
    }
    schema = signal.model.model_json_schema(mode="serialization")
    return {
        "name": signal.name,
        "title": signal.model.__name__,
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": {"content-type": {"type": "string", "const": CONTENT_TYPE}},
            "required": ["content-type"],
        },
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": _event(signal, schema)},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
        **{name: value for name, value in said.items() if value is not None},
    }


def _event(signal: Declaration, data: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole event: a CloudEvent with the signal's data."""
    base = f"#/components/messages/{signal.name}/payload/schema/definitions"
    data, definitions = as_draft_7(data, base)
    attributes: dict[str, Any] = {
        "specversion": {"type": "string", "const": "1.0"},
        "type": {"type": "string", "const": signal.name},
        "source": {**_TEXT, "description": "The announcing server; (source, id) identifies an event."},
        "id": dict(_TEXT),
        "time": {"type": "string", "format": "date-time"},
        "partitionkey": {
            **_TEXT,
            "description": "The key: one key has one order. It is the Kafka message key too.",
        },
        "subject": dict(_TEXT),
        "traceparent": {"type": "string"},
        "tracestate": {"type": "string"},
        "expirytime": {
            "type": "string",
            "format": "date-time",
            "description": "From then on it is not handled any more.",
        },
        "data": data,
    }
    if (schema := dataschema(signal)) is not None:
        attributes["dataschema"] = {"type": "string", "const": schema}
    return {
        "type": "object",
        "properties": attributes,
        "required": ["specversion", "type", "source", "id", "data"],
        **({"definitions": definitions} if definitions else {}),
    }
