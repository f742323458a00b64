"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, JSON in the value, the subject as key."""

from operator import itemgetter
from typing import ClassVar, NamedTuple, Protocol
from uuid import UUID

import msgspec

from libs.common.kafka import partition_of

SOURCE_ROOT = "/jingan/"
MAX_EVENT_BYTES = 900_000
MAX_ATTRIBUTE_BYTES = 500
MAX_SEQUENCE = 2**63 - 1
TRACEPARENT_BYTES = 55


def source_of(service: str) -> str:
    return f"{SOURCE_ROOT}{service}"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one published or consumed type.

    A published type lists all its fields and states what its subject is (`subject_kind`, for example "uscc");
    a consumed one lists only the fields its service reads.
    """

    type: ClassVar[str]
    subject_kind: ClassVar[str] = ""


class UnknownVersion(Exception):
    """A version of a type that this service reads, and that this release does not know."""


class KafkaRecord(Protocol):
    """What is read of an aiokafka record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Incoming(NamedTuple):
    """An event as it arrived. `type` ends with its version (`.v1`); `data` is not decoded yet."""

    topic: str
    partition: int
    offset: int
    source: str
    subject: str
    sequence: int
    id: UUID
    type: str
    time: str
    correlation_id: str
    traceparent: str | None
    data: bytes


class DeadLetter(NamedTuple):
    """A record without a readable identity; nobody can say which event it is, so it cannot be parked."""

    topic: str
    partition: int
    offset: int
    cause: str
    key: bytes | None
    value: bytes | None


class Outside(NamedTuple):
    """A record of somebody else's topic, as it came: whether it can be read is for its taker to say."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def headers(
    *,
    id: UUID,
    source: str,
    type: str,
    subject: str,
    sequence: int,
    time: str,
    correlation_id: str,
    causation_id: UUID | None,
    traceparent: str | None,
) -> list[tuple[str, bytes]]:
    """The headers of one event. `time` is RFC 3339."""
    attributes = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(id).encode()),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
        ("ce_subject", subject.encode()),
        ("ce_time", time.encode()),
        ("ce_subjectsequence", b"%d" % sequence),
        ("ce_correlationid", correlation_id.encode()),
        ("content-type", b"application/json"),
    ]
    if causation_id is not None:
        attributes.append(("ce_causationid", str(causation_id).encode()))
    if traceparent is not None:
        attributes.append(("traceparent", traceparent.encode()))
    return attributes


def read(record: KafkaRecord, source: str) -> Incoming | DeadLetter:
    """The event in a record of a topic on which only `source` speaks."""
    attributes = dict(record.headers)
    try:
        given = _identity(attributes)
        if not all(given) or max(map(len, given)) > MAX_ATTRIBUTE_BYTES or b"\0" in b"".join(given):
            raise ValueError(f"{_unfit(attributes)} is empty, longer than {MAX_ATTRIBUTE_BYTES} bytes, or holds a NUL")
        if record.key != given[0]:
            raise ValueError("the key is not ce_subject")
        subject, said_by, number, id, type, time, correlation_id = [value.decode() for value in given]
        if said_by != source:
            raise ValueError(f"ce_source is not {source}")
        if (right := partition_of(subject)) != record.partition:
            raise ValueError(f"its subject belongs on partition {right}, where another member takes it")
        sequence = int(number)
        if not 1 <= sequence <= MAX_SEQUENCE:
            raise ValueError("ce_subjectsequence is not between 1 and 2^63 - 1")
        return Incoming(
            record.topic, record.partition, record.offset, source, subject, sequence, msgspec.convert(id, UUID), type,
            time, correlation_id, _traceparent(attributes), record.value or b"",
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        cause = f"missing header {error}" if isinstance(error, KeyError) else str(error)
        return DeadLetter(record.topic, record.partition, record.offset, cause[:500], record.key, record.value)


IDENTITY = ("ce_subject", "ce_source", "ce_subjectsequence", "ce_id", "ce_type", "ce_time", "ce_correlationid")
_identity = itemgetter(*IDENTITY)


def _unfit(attributes: dict[str, bytes]) -> str:
    """The attribute that no database could keep: what lacks one must not look like an event that could be parked."""
    return next(
        name
        for name in IDENTITY
        if not attributes[name] or len(attributes[name]) > MAX_ATTRIBUTE_BYTES or b"\0" in attributes[name]
    )


def _traceparent(attributes: dict[str, bytes]) -> str | None:
    """The trace that the event belongs to. An unreadable one is no fault of the event."""
    value = attributes.get("traceparent") or b""
    readable = len(value) == TRACEPARENT_BYTES and value.isascii() and b"\0" not in value
    return value.decode() if readable else None


def base_and_version(type: str) -> tuple[str, str]:
    """`registration.enterprise_registered.v1` -> (`registration.enterprise_registered`, `v1`)."""
    base, _, version = type.rpartition(".")
    return base, version
