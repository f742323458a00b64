"""Who reads each event type. No event without a reader: `contracts/readers.yaml` says it, and this sees it is true."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from deploy.contracts.events import CHECKOUT, Published, schema
from deploy.contracts.history import Shape
from libs.common.envelope import DeadLetter, Event, base_and_version, read, source_of
from libs.common.kafka import partition_of

FILE = CHECKOUT / "contracts/readers.yaml"


class Readers(msgspec.Struct, forbid_unknown_fields=True):
    """`services` by name; `outside`: folders or files of this checkout that read the topic as an outsider does."""

    services: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


class SampleRecord(msgspec.Struct):
    """A sample of the history as Kafka hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def load(file: Path = FILE) -> dict[str, Readers]:
    return msgspec.yaml.decode(file.read_bytes(), type=dict[str, Readers])


def faults(
    said: Mapping[str, Published], heard: Mapping[str, tuple[type[Event], ...]], stated: Mapping[str, Readers]
) -> Iterator[str]:
    """Where the file and the services differ, and events that nobody reads."""
    reading: dict[str, set[str]] = {}
    for service, kinds in heard.items():
        for kind in kinds:
            reading.setdefault(kind.type, set()).add(service)
    for type in sorted({*said, *stated, *reading}):
        readers = stated.get(type, Readers())
        if type not in said:
            yield f"{type}: nobody says it"
        if set(readers.services) != reading.get(type, set()):
            listed, real = ", ".join(readers.services) or "none", ", ".join(sorted(reading.get(type, ()))) or "none"
            yield f"{type}: readers.yaml names the services {listed}; by their consumed_events.py it is {real}"
        for folder in readers.outside:
            if not _mentions(CHECKOUT / folder, type):
                yield f"{type}: readers.yaml names {folder}, where nothing speaks of it"
        if not (readers.services or readers.outside):
            yield f"{type}: has no reader; publish only what someone reads"


def unreadable(
    said: Mapping[str, Published], heard: Mapping[str, tuple[type[Event], ...]], shapes: Mapping[str, list[Shape]]
) -> Iterator[str]:
    """What a service could not decode of all that was ever said in the types it reads."""
    for service, kinds in heard.items():
        known = {kind.type: kind for kind in kinds}
        bases = {base_and_version(type)[0] for type in known}
        for type, past in shapes.items():
            if type in known:
                yield from _undecoded(service, known[type], past)
            elif base_and_version(type)[0] in bases:
                yield f"{type}: was said, and {service} reads other versions of it but not this one"
        for kind in kinds:
            if kind.type in said:
                fields = schema(said[kind.type].kind)["properties"]
                for name in sorted(set(schema(kind)["properties"]) - set(fields)):
                    yield f"{kind.type}: {service} reads the field {name}, which it does not have"


def _undecoded(service: str, kind: type[Event], past: list[Shape]) -> Iterator[str]:
    decoder = msgspec.json.Decoder(kind)
    for shape in past:
        for name, data in variants(shape).items():
            try:
                decoder.decode(arrived(shape, data))
            except msgspec.DecodeError as error:
                yield f"{shape.type}: {service} cannot decode its sample ({name}): {error}"


def variants(shape: Shape) -> dict[str, dict[str, Any]]:
    """The sample's data, as it is and as it may also come: without optional fields, with nulls, with a field more."""
    required = {name: value for name, value in shape.data.items() if name not in shape.optional}
    kinds = shape.schema["properties"].items()
    nulls = {name: None for name, kind in kinds if {"type": "null"} in kind.get("anyOf", ())}
    found = {"as it is": shape.data, "with an unknown field": {**shape.data, "unknown_to_all": [1]}}
    if shape.optional:
        found["without optional fields"] = required
    if nulls:
        found["with nulls"] = {**shape.data, **nulls}
    return found


def record(shape: Shape, data: Mapping[str, Any]) -> SampleRecord:
    """An event with the headers of a sample and these data."""
    given = tuple((name, value.encode()) for name, value in shape.headers.items())
    subject = shape.headers["ce_subject"]
    return SampleRecord("history", partition_of(subject), 0, subject.encode(), msgspec.json.encode(data), given)


def arrived(shape: Shape, data: Mapping[str, Any]) -> bytes:
    """The data of a sample after it has come in by the same door as every record. Raises ValueError at the door."""
    event = read(record(shape, data), source_of(shape.type.partition(".")[0]))
    if isinstance(event, DeadLetter):
        raise ValueError(f"the sample of {shape.type} is no event: {event.cause}")
    if event.type != shape.type:
        raise ValueError(f"the sample of {shape.type} says {event.type}")
    return event.data


def _mentions(place: Path, type: str) -> bool:
    files = [place] if place.is_file() else place.rglob("*.py")
    return any(type in path.read_text(encoding="utf-8") for path in files)
