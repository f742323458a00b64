"""Facts as risk keeps them, read from its bytes once more; no code is shared.

A fact is 70 bytes, little-endian: 16 of the hash of its record id, 4 of its source's, 8 sequence, 2 n, 4 of its
indicator's hash, 4 legal date (days since 1970-01-01), 8 value (the least number: none), 8 time (microseconds), 16
event id. Hashes are BLAKE2b of that length.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from tests.checker.replay import Fact

LAYOUT = struct.Struct("<16sIqHIiqq16s")
EPOCH = 719_163  # the ordinal of 1970-01-01


class KeptFact(NamedTuple):
    subject: str
    source: int
    sequence: int
    indicator: int
    legal_date: int
    value: int
    record: bytes
    event_id: UUID


def kept_facts(sheet: Mapping[str, Any]) -> Iterator[KeptFact]:
    """Every fact of one enterprise, those that hold and those that do not."""
    for record, source, sequence, _, indicator, day, value, _, event_id in LAYOUT.iter_unpack(
        bytes(sheet["live"]) + bytes(sheet["past"])
    ):
        yield KeptFact(sheet["uscc"], source, sequence, indicator, day, value, record, UUID(bytes=event_id))


def sealed(fact: Fact) -> KeptFact:
    """A fact of the replay as it should be kept."""
    record = hashlib.blake2b(fact.record_id.encode(), digest_size=16).digest()
    return KeptFact(
        fact.subject, _hash(fact.source), fact.sequence, _hash(fact.indicator), fact.legal_date.toordinal() - EPOCH,
        -(2**63) if fact.value is None else fact.value, record, fact.event_id,
    )  # fmt: skip


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")
