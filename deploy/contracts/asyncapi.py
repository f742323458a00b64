"""`contracts/asyncapi.yaml`: topics, the messages on them, who says and who reads them (AsyncAPI 3)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deploy.contracts.events import Published
from deploy.contracts.history import Shape
from deploy.contracts.outside import Taken, Told
from deploy.contracts.readers import Readers
from libs.common import kafka
from libs.common.envelope import source_of
from libs.common.time_travel import CLOCK_TOPIC

ABOUT = (
    "Events between the services of One Window: CloudEvents 1.0 in Kafka's binary mode. The key of a record is the "
    "event's subject. `ce_subjectsequence` counts 1, 2, 3 ... for each source and subject; nothing relies on order "
    "across subjects. Topics named after a service are internal and keep everything; the others are the exchange with "
    f"outsiders. `{CLOCK_TOPIC}` only moves business time in demonstrations and tests."
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
ASKED_OF_OUTSIDERS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "content-type")


def document(
    said: Mapping[str, Published], stated: Mapping[str, Readers], shapes: Mapping[str, list[Shape]],
    taken: Iterable[Taken], told: Iterable[Told],
) -> dict[str, Any]:  # fmt: skip
    """The whole document; message payloads refer to `schemas/<type>.json` and `outside/<topic>.json` beside it.
    The last of a type's `shapes` is its example. `taken` and `told`: the topics on which outsiders speak to us, and we
    to them."""
    taken, told = tuple(taken), tuple(told)
    speakers = sorted({one.service for one in said.values()})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "One Window: events", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            **{_topic(one): _channel(_topic(one), f"Everything that {one} says.", _of(one, said)) for one in speakers},
            **{one.topic: _channel(one.topic, f"What {one.sent_by} sends.", [one.type]) for one in taken},
            **{one.topic: _channel(one.topic, TOLD.format(one.service), one.types, FOR_OUTSIDERS) for one in told},
        },
        "operations": {
            **_says(speakers, said),
            **_hears(said, stated),
            **{f"{one.service}.takes.{one.topic}": _operation("receive", one.topic, [one.type]) for one in taken},
            **{f"{one.service}.tells.{one.topic}": _operation("send", one.topic, one.types) for one in told},
        },
        "components": {
            "messages": {
                **{t: _message(one, stated.get(t, Readers()), shapes.get(t, [])) for t, one in said.items()},
                **{one.type: _outsiders_message(one) for one in taken},
            },
            "schemas": {
                "CloudEventsHeaders": {
                    "type": "object",
                    "properties": HEADERS,
                    "required": [name for name in HEADERS if name not in OPTIONAL_HEADERS],
                }
            },
        },
    }


TOLD = "What {} tells outsiders, under the ids and with the headers that it has on the internal topic."
INTERNAL, FOR_OUTSIDERS = (int(one["retention.ms"]) for one in (kafka.EVENTS, kafka.FOR_OUTSIDERS))


def _channel(topic: str, description: str, types: Iterable[str], kept: int = INTERNAL) -> dict[str, Any]:
    """`kept`: for how many milliseconds, -1 for ever."""
    return {
        "address": topic,
        "description": description,
        "messages": {type: _reference("components", "messages", type) for type in types},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": kafka.PARTITIONS,
                "topicConfiguration": {"retention.ms": kept},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _says(speakers: list[str], said: Mapping[str, Published]) -> dict[str, Any]:
    return {f"{service}.says": _operation("send", _topic(service), _of(service, said)) for service in speakers}


def _hears(said: Mapping[str, Published], stated: Mapping[str, Readers]) -> dict[str, Any]:
    heard: dict[tuple[str, str], list[str]] = {}
    for type, one in said.items():
        for reader in stated.get(type, Readers()).services:
            heard.setdefault((reader, one.service), []).append(type)
    return {
        f"{reader}.hears.{service}": _operation("receive", _topic(service), types)
        for (reader, service), types in sorted(heard.items())
    }


def _operation(action: str, topic: str, types: Iterable[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": _reference("channels", topic),
        "messages": [_reference("channels", topic, "messages", type) for type in types],
    }


def _message(one: Published, readers: Readers, shapes: Sequence[Shape]) -> dict[str, Any]:
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
        "examples": [{"payload": shape.data} for shape in shapes[-1:]],
        "x-subject-kind": one.kind.subject_kind,
        "x-readers": [*readers.services, *readers.outside],
    }


def _outsiders_message(one: Taken) -> dict[str, Any]:
    constant = {"ce_type": one.type, "ce_source": one.schema["x-source"]}
    named = {name: {"const": constant[name]} if name in constant else HEADERS[name] for name in ASKED_OF_OUTSIDERS}
    return {
        "name": one.type,
        "title": one.schema["title"],
        "summary": one.schema["description"],
        "headers": {"type": "object", "properties": named, "required": list(ASKED_OF_OUTSIDERS)},
        "payload": {"$ref": f"outside/{one.topic}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "the record's id"}}},
        "examples": [{"payload": example} for example in one.schema["examples"]],
        "x-readers": [one.service],
    }


def _of(service: str, said: Mapping[str, Published]) -> list[str]:
    return [type for type, one in said.items() if one.service == service]


def _topic(service: str) -> str:
    return f"{service}.events"


def _reference(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}
