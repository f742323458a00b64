"""Whether a record of the city is taken, and if not, why: a reason and a field, for the city to mend it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, cast

from services.credit.domain.policy import KINDS, LIST_OF_KIND, Kind, Policy
from services.credit.domain.uscc import check_holds, has_shape

SOURCE = b"/shanghai/credit"
EARLIEST = date(1900, 1, 1)
MAX_VERSION = 2**31 - 1

Reason = Literal[
    "unknown_source", "bad_json", "missing", "malformed", "uscc_malformed", "unknown_kind", "unknown_ground",
    "ground_not_of_kind", "impossible_date", "superseded", "uscc_changed", "kind_changed", "erased", "repaired",
    "unreadable",
]  # fmt: skip
Flag = Literal["uscc_check", "uscc_unknown", "effective_later"]

_RECORD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class CityRecord:
    """A record in shape. Whatever else the city sends beside these fields is not kept."""

    record_id: str
    version: int
    uscc: str
    kind: Kind
    ground: str | None
    effective_on: date


class Rejection(NamedTuple):
    """Why a record is not taken, and which field to mend; no field where it is the whole."""

    reason: Reason
    field: str | None = None


class Seen(NamedTuple):
    """What could be read. `record_id` and `version` name the record even where it is rejected."""

    record_id: str | None
    version: int | None
    outcome: CityRecord | Rejection


class Known(NamedTuple):
    """The record of this id as it stands here."""

    version: int
    uscc: str
    kind: str
    state: str


def read(value: bytes | None, headers: Mapping[str, bytes], law: Policy) -> Seen:
    """Read a record: CloudEvents attributes in the headers, JSON in the value."""
    data = _parsed(value)
    if isinstance(data, Rejection):
        return Seen(None, None, data)
    record_id, version = data.get("record_id"), data.get("version")
    named = record_id if isinstance(record_id, str) and _RECORD_ID.fullmatch(record_id) else None
    numbered = version if type(version) is int and 1 <= version <= MAX_VERSION else None
    if rejection := _fault(data, named, numbered, headers, law):
        return Seen(named, numbered, rejection)
    assert named is not None
    assert numbered is not None
    record = CityRecord(
        named, numbered, data["uscc"], cast(Kind, data["kind"]), data.get("ground"),
        date.fromisoformat(data["effective_on"]),
    )  # fmt: skip
    return Seen(named, numbered, record)


def against(record: CityRecord, known: Known | None) -> Rejection | None:
    """Why a record in shape has no effect on what stands already."""
    if known is None:
        return None
    if known.version >= record.version:
        return Rejection("superseded", "version")
    if known.uscc != record.uscc:
        return Rejection("uscc_changed", "uscc")
    if known.kind != record.kind:
        return Rejection("kind_changed", "kind")
    if known.state == "erased":
        return Rejection("erased")
    return Rejection("repaired") if known.state == "repaired" else None


def flags(record: CityRecord, *, registered: bool, today: date) -> tuple[Flag, ...]:
    """Doubts with which a record is taken all the same, for a person to look at."""
    doubts: list[tuple[Flag, bool]] = [
        ("effective_later", record.effective_on > today),
        ("uscc_check", not check_holds(record.uscc)),
        ("uscc_unknown", not registered),
    ]
    return tuple(flag for flag, applies in doubts if applies)


def _parsed(value: bytes | None) -> dict[str, Any] | Rejection:
    try:
        data = json.loads((value or b"").decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Rejection("bad_json")
    return data if isinstance(data, dict) else Rejection("bad_json")


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _fault(
    data: dict[str, Any], record_id: str | None, version: int | None, headers: Mapping[str, bytes], law: Policy
) -> Rejection | None:
    """The first fault, in the order of the fields."""
    if headers.get("ce_source") != SOURCE:
        return Rejection("unknown_source", "ce_source")
    if not headers.get("ce_id"):
        return Rejection("missing", "ce_id")
    for name in ("record_id", "version", "uscc", "kind", "effective_on"):
        if data.get(name) is None:
            return Rejection("missing", name)
    if record_id is None or version is None:
        return Rejection("malformed", "version" if record_id else "record_id")
    if not isinstance(data["uscc"], str) or not has_shape(data["uscc"]):
        return Rejection("uscc_malformed", "uscc")
    if not isinstance(data["kind"], str) or data["kind"] not in KINDS:
        return Rejection("unknown_kind", "kind")
    return _ground_fault(data["kind"], data.get("ground"), law) or _date_fault(data["effective_on"])


def _ground_fault(kind: str, code: object, law: Policy) -> Rejection | None:
    if code is None:
        return Rejection("missing", "ground") if kind == "commitment_breach" else None
    ground = law.ground_of_record(code) if isinstance(code, str) else None
    if ground is None:
        return Rejection("unknown_ground", "ground")
    closed = ground.list in LIST_OF_KIND.values() and LIST_OF_KIND.get(kind) != ground.list
    wanting = kind == "commitment_breach" and ground.list != LIST_OF_KIND[kind]
    return Rejection("ground_not_of_kind", "ground") if closed or wanting else None


def _date_fault(value: object) -> Rejection | None:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value) and date.fromisoformat(value) >= EARLIEST:
            return None
    except ValueError:
        pass
    return Rejection("impossible_date", "effective_on")
