"""`contracts/asyncapi.yaml`: topics, the messages on them, who says and who reads them (AsyncAPI 3)."""

from collections.abc import Mapping
from typing import Any

from deploy.contracts.events import Published
from deploy.contracts.readers import Readers
from libs.common import kafka
from libs.common.envelope import source_of
from libs.common.time_travel import CLOCK_TOPIC

ABOUT = (
    "Events between the services of One Window: CloudEvents 1.0 in Kafka's binary mode. The key of a record is the "
    "event's subject. `ce_subjectsequence` counts 1, 2, 3 ... for each source and subject; nothing relies on order "
    f"across subjects. Topics are internal and keep everything. `{CLOCK_TOPIC}` only moves business time in "
    "demonstrations and tests."
)

UUID_TEXT = {"type": "string", "format": "uuid"}
HEADERS = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": UUID_TEXT,
    "ce_source": {"type": "string", "format": "uri-reference"},
    "ce_type": {"type": "string"},
    "ce_subject": {"type": "string", "description": "equals the record's key"},
    "ce_time": {"type": "string", "format": "date-time", "description": "business time"},
    "ce_subjectsequence": {"type": "string", "pattern": "^[1-9][0-9]*$"},
    "ce_correlationid": {"type": "string", "description": "the case that started it"},
    "ce_causationid": {**UUID_TEXT, "description": "the event or the date that caused it"},
    "content-type": {"const": "application/json"},
    "traceparent": {"type": "string", "description": "W3C Trace Context"},
}
OPTIONAL_HEADERS = frozenset({"ce_causationid", "traceparent"})


def document(said: Mapping[str, Published], stated: Mapping[str, Readers]) -> dict[str, Any]:
    """The whole document; message payloads refer to `schemas/<type>.json` beside it."""
    speakers = sorted({one.service for one in said.values()})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "One Window: events", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {_topic(service): _channel(service, said) for service in speakers},
        "operations": {**_says(speakers, said), **_hears(said, stated)},
        "components": {
            "messages": {type: _message(one, stated.get(type, Readers())) for type, one in said.items()},
            "schemas": {
                "CloudEventsHeaders": {
                    "type": "object",
                    "properties": HEADERS,
                    "required": [name for name in HEADERS if name not in OPTIONAL_HEADERS],
                }
            },
        },
    }


def _channel(service: str, said: Mapping[str, Published]) -> dict[str, Any]:
    topic = _topic(service)
    return {
        "address": topic,
        "description": f"Everything that {service} says.",
        "messages": {type: _reference("components", "messages", type) for type in _of(service, said)},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": kafka.PARTITIONS,
                "topicConfiguration": {"retention.ms": int(kafka.EVENTS["retention.ms"])},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _says(speakers: list[str], said: Mapping[str, Published]) -> dict[str, Any]:
    return {f"{service}.says": _operation("send", service, _of(service, said)) for service in speakers}


def _hears(said: Mapping[str, Published], stated: Mapping[str, Readers]) -> dict[str, Any]:
    heard: dict[tuple[str, str], list[str]] = {}
    for type, one in said.items():
        for reader in stated.get(type, Readers()).services:
            heard.setdefault((reader, one.service), []).append(type)
    return {
        f"{reader}.hears.{service}": _operation("receive", service, types)
        for (reader, service), types in sorted(heard.items())
    }


def _operation(action: str, service: str, types: list[str]) -> dict[str, Any]:
    topic = _topic(service)
    return {
        "action": action,
        "channel": _reference("channels", topic),
        "messages": [_reference("channels", topic, "messages", type) for type in types],
    }


def _message(one: Published, readers: Readers) -> dict[str, Any]:
    return {
        "name": one.type,
        "title": one.kind.__name__,
        "summary": (one.kind.__doc__ or "").strip(),
        "headers": {
            "allOf": [
                _reference("components", "schemas", "CloudEventsHeaders"),
                {"properties": {"ce_type": {"const": one.type}, "ce_source": {"const": source_of(one.service)}}},
            ]
        },
        "payload": {"$ref": f"schemas/{one.type}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": one.kind.subject_kind}}},
        "x-subject-kind": one.kind.subject_kind,
        "x-readers": [*readers.services, *readers.outside],
    }


def _of(service: str, said: Mapping[str, Published]) -> list[str]:
    return [type for type, one in said.items() if one.service == service]


def _topic(service: str) -> str:
    return f"{service}.events"


def _reference(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}
