"""What is known of enterprises, in bulk, as it lies in the database: one row of packed facts for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from services.risk import packed
from services.risk.domain import Fact
from services.risk.domain.facts import REGISTRATION
from services.risk.packed import Facts

REGISTERED = packed.code(REGISTRATION)
SHEETS = """
SELECT coalesce(array_agg(uscc), '{}'), coalesce(array_agg(length(live)), '{}'), coalesce(string_agg(live, ''), ''),
    coalesce(array_agg(length(past)), '{}'), coalesce(string_agg(past, ''), '')
FROM fact_sheet WHERE uscc = ANY($1::text[])
"""
WRITE = """
INSERT INTO fact_sheet (uscc, live, past) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[])
ON CONFLICT (uscc) DO UPDATE SET live = excluded.live, past = excluded.past
"""
EACH = "SELECT uscc, live || past AS facts FROM fact_sheet WHERE uscc = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class Known:
    """Enterprises by number, with the facts that hold of each; `registered` says which of them are scored."""

    usccs: list[str]
    live: Facts
    registered: NDArray[np.bool_]

    def values(self, indicator: str) -> NDArray[np.int64]:
        """The value of an indicator that has one record per enterprise; -1 where it is unknown."""
        found = np.full(len(self.usccs), -1, np.int64)
        which = self.live.packed["indicator"] == packed.code(indicator)
        np.maximum.at(found, self.live.enterprise[which], self.live.packed["value"][which])
        return found

    def scored(self) -> "Known":
        """Just those that are scored."""
        if self.registered.all():
            return self
        number = np.cumsum(self.registered, dtype=np.int32) - np.int32(1)
        kept = self.registered[self.live.enterprise]
        usccs = [uscc for uscc, registered in zip(self.usccs, self.registered.tolist(), strict=True) if registered]
        live = Facts(number[self.live.enterprise[kept]], self.live.packed[kept])
        return Known(usccs, live, np.ones(len(usccs), np.bool_))


async def known(connection: asyncpg.Connection, usccs: Sequence[str]) -> Known:
    """What is known of these enterprises, without any that nothing is known of."""
    names, live_lengths, live, past_lengths, past = await _sheets(connection, usccs)
    held, gone = packed.joined(live_lengths, live), packed.joined(past_lengths, past)
    return Known(names, held, _registered(len(names), held, gone))


async def add(connection: asyncpg.Connection, usccs: Sequence[str], facts: Sequence[Fact]) -> Known:
    """Add facts of these enterprises; what is known of each then. One already there stays as it is: an event states the
    same each time."""
    names, live_lengths, live, past_lengths, past = await _sheets(connection, usccs)
    numbers = {uscc: number for number, uscc in enumerate(usccs)}
    of_row = np.array([numbers[name] for name in names], np.int32)
    there = [packed.joined(lengths, rows) for lengths, rows in ((live_lengths, live), (past_lengths, past))]
    new = Facts(np.array([numbers[fact.subject] for fact in facts], np.int32), packed.pack(facts))
    held, gone = packed.merged(*(Facts(of_row[part.enterprise], part.packed) for part in there), new)
    await connection.execute(WRITE, usccs, packed.split(held, len(usccs)), packed.split(gone, len(usccs)))
    return Known(list(usccs), held, _registered(len(usccs), held, gone))


async def facts_of(connection: asyncpg.Connection, usccs: Sequence[str]) -> list[Fact]:
    """Every fact of these enterprises, those that no longer hold among them, for explaining one at a time."""
    names = packed.known_names()
    rows = await connection.fetch(EACH, usccs)
    return [fact for row in rows for fact in packed.unpack(row["uscc"], row["facts"], names)]


async def _sheets(connection: asyncpg.Connection, usccs: Sequence[str]) -> asyncpg.Record:
    row = await connection.fetchrow(SHEETS, usccs)
    assert row is not None, "an aggregate has one row"
    return row


def _registered(enterprises: int, *parts: Facts) -> NDArray[np.bool_]:
    """`domain.is_registered` for each: whether any of its facts, held or not, says so."""
    registered = np.zeros(enterprises, np.bool_)
    for part in parts:
        registered[part.enterprise[part.packed["indicator"] == REGISTERED]] = True
    return registered
