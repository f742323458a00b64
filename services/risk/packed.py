"""Facts as fixed-width rows of bytes: how they are kept, merged and read, without one Python object per fact.

What holds is worked out when facts come in (`merged`, equal to `domain.live_facts`), so that scoring everything anew
reads just the facts that hold. The bytes of an enterprise are a function of the set of its facts: sorted, each once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.risk.domain import ERASURE, FACT_ROWS, Fact

Packed: TypeAlias = NDArray[np.void]
Int32s: TypeAlias = NDArray[np.int32]

NOT_COMPARABLE = np.iinfo(np.int64).min  # the value None
PACKED = np.dtype(
    [
        ("record", "<u8", 2),  # BLAKE2b of the record id: it is only ever compared
        ("source", "<u4"),
        ("sequence", "<i8"),
        ("n", "<u2"),
        ("indicator", "<u4"),
        ("legal_date", "<i4"),  # days since 1970-01-01
        ("value", "<i8"),
        ("stated_at", "<i8"),  # microseconds since 1970-01-01 UTC
        ("event_id", "<u8", 2),
    ]
)
WIDTH = PACKED.itemsize
_row = Struct("<16sIqHIiqq16s")
_EPOCH, _EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
SOURCES = ("registration", "licensing", "supervision", "credit", "risk")


@lru_cache(maxsize=10_000)
def code(name: str) -> int:
    """The number that stands for the name of an indicator or a source: 32 bits of its hash, so that nobody has to give
    numbers out and releases agree on them."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "little")


ERASED = code(ERASURE)


@dataclass(frozen=True, slots=True)
class Facts:
    """Packed facts and the number of the enterprise that each belongs to, in ascending order."""

    enterprise: Int32s
    packed: Packed

    def counts(self, enterprises: int) -> NDArray[np.int64]:
        """How many facts each of `enterprises` has."""
        return np.bincount(self.enterprise, minlength=enterprises)


def pack(facts: Sequence[Fact]) -> Packed:
    """Facts as rows of bytes, in the given order."""
    rows = b"".join([
        _row.pack(
            blake2b(record_id.encode(), digest_size=16).digest(), code(source), sequence, n, code(indicator),
            legal_date.toordinal() - _EPOCH_DAY, NOT_COMPARABLE if value is None else value, _microseconds(stated_at),
            event_id.bytes,
        )
        for source, _, sequence, n, indicator, legal_date, value, record_id, event_id, stated_at in facts
    ])  # fmt: skip
    return np.frombuffer(rows, PACKED)


@lru_cache(maxsize=10_000)
def _microseconds(at: datetime) -> int:
    """Since 1970; the facts of an event have one time."""
    return (at - _EPOCH) // _MICROSECOND


def unpack(subject: str, packed: bytes, names: Mapping[int, str]) -> list[Fact]:
    """The facts in an enterprise's bytes. The record id is its hash in hexadecimal; a name that is not in `names` (its
    code as key) stays its code: no rule reads it."""
    return [
        Fact(
            names.get(source, f"#{source:08x}"), subject, sequence, n, names.get(indicator, f"#{indicator:08x}"),
            date.fromordinal(legal_date + _EPOCH_DAY), None if value == NOT_COMPARABLE else value, record.hex(),
            UUID(bytes=event_id), _EPOCH + stated_at * _MICROSECOND,
        )
        for record, source, sequence, n, indicator, legal_date, value, stated_at, event_id in _row.iter_unpack(packed)
    ]  # fmt: skip


def known_names(indicators: Iterable[str] = ()) -> dict[int, str]:
    """The names that codes stand for: those of every fact that events state, and `indicators`."""
    names = [*(f"/jingan/{source}" for source in SOURCES), *(row.indicator for row in FACT_ROWS), ERASURE, *indicators]
    return {code(name): name for name in names}


def joined(lengths: Sequence[int] | NDArray[Any], packed: bytes) -> Facts:
    """The bytes of several enterprises behind one another; `lengths` in bytes."""
    counts = np.asarray(lengths, np.int64) // WIDTH
    return Facts(np.repeat(np.arange(len(counts), dtype=np.int32), counts), np.frombuffer(packed, PACKED))


def scattered(lengths: NDArray[Any], packed: bytes | bytearray, before_all: int, before_each: int) -> Facts:
    """The bytes of several enterprises with so many other bytes before all and before each of them."""
    counts = lengths.astype(np.int64) // WIDTH
    enterprise = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    ends = np.cumsum(counts)
    begins = before_all + np.arange(1, len(counts) + 1) * before_each + (ends - counts) * WIDTH
    at = begins.take(enterprise) + (np.arange(len(enterprise)) - (ends - counts).take(enterprise)) * WIDTH
    everywhere = np.ndarray((max(len(packed) - WIDTH + 1, 0),), f"V{WIDTH}", packed, strides=(1,))
    return Facts(enterprise, everywhere[at].view(PACKED))


def split(facts: Facts, enterprises: int) -> list[bytes]:
    """The bytes of each enterprise."""
    rows = facts.packed.tobytes()
    ends = (np.cumsum(facts.counts(enterprises)) * WIDTH).tolist()
    return [rows[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


def merged(*parts: Facts) -> tuple[Facts, Facts]:
    """The union of these facts: those that hold, and those that do not (erased, erasures, replaced by a later one).

    Exactly `domain.live_facts`, by columns: no erased record, and of a record only its source's greatest sequence.
    """
    enterprise = np.concatenate([part.enterprise for part in parts])
    packed = np.concatenate([part.packed for part in parts])
    if not packed.size:
        return Facts(enterprise, packed), Facts(enterprise, packed)
    order = np.lexsort(
        (packed["n"], packed["sequence"], packed["source"], packed["record"][:, 1], packed["record"][:, 0], enterprise)
    )
    enterprise, packed = enterprise[order], packed[order]
    record, source, sequence = packed["record"], packed["source"], packed["sequence"]
    new_record = _changes(enterprise, record[:, 0], record[:, 1])
    new_event = new_record | _changes(source, sequence)
    once = new_event | _changes(packed["n"])
    number = np.cumsum(new_record) - 1
    erased = np.logical_or.reduceat(packed["indicator"] == ERASED, np.flatnonzero(new_record))[number]
    # The greatest sequence of each (record, source) is that of its last row.
    last = np.append((new_record | _changes(source))[1:], True)
    newest = sequence[last][np.concatenate(([0], np.cumsum(last)[:-1]))]
    live = once & ~erased & (sequence == newest)
    past = once & ~live
    return Facts(enterprise[live], packed[live]), Facts(enterprise[past], packed[past])


def _changes(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a row differs from the one before it; the first one does."""
    differs = np.ones(len(columns[0]), np.bool_)
    differs[1:] = False
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    return differs
