"""CloudEvents in Kafka's binary mode, read here in a few lines of our own."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from uuid import UUID


class Event(NamedTuple):
    """One record with a readable identity. `written` is Kafka's time of writing in ms; `data` is None if not JSON."""

    topic: str
    partition: int
    offset: int
    written: int
    source: str
    subject: str
    sequence: int
    id: UUID
    type: str
    raw: bytes
    data: Any
    cause: str | None = None
    """The id of the event (or of the date) that it is a reaction to."""

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.subject

    def __str__(self) -> str:
        return f"{self.type} {self.sequence} of {self.subject} ({self.topic} {self.partition}/{self.offset})"


class Unreadable(NamedTuple):
    """A record without a readable identity: whoever reads it can only bury it."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


Record = Event | Unreadable


def decode(record: Any, source: str) -> Record:
    """An aiokafka record of a topic on which only `source` speaks."""
    header = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    nothing = Unreadable(record.topic, record.partition, record.offset, record.value)
    names = ("ce_id", "ce_source", "ce_subject", "ce_type", "ce_time", "ce_subjectsequence", "ce_correlationid")
    if any(name not in header for name in names):
        return nothing
    try:
        id, sequence = UUID(header["ce_id"]), int(header["ce_subjectsequence"])
    except ValueError:
        return nothing
    if sequence < 1 or header["ce_source"] != source or record.key != header["ce_subject"].encode():
        return nothing
    raw = record.value or b""
    try:
        data = json.loads(raw)
    except ValueError:
        data = None
    return Event(
        record.topic, record.partition, record.offset, record.timestamp,
        source, header["ce_subject"], sequence, id, header["ce_type"], raw, data,
        header.get("ce_causationid"),
    )  # fmt: skip
