"""The lists of applications and enterprises, by keyset, with whatever filters are given."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.registration.domain.structure import Capital

USCC = re.compile("[0-9A-HJ-NPQRTUWXY]{18}")
APPLICATION_ITEM = "id, status, enterprise_name, submitted_at, uscc, round, version, correct_by"
ENTERPRISE_ITEM = "uscc, name, registered_on, area, version, deregistered_on"


@dataclass(frozen=True, slots=True)
class Applications:
    """What is searched for; None where it does not matter. `words`: a part of the name, or a whole identifier."""

    owner: str | None = None
    status: str | None = None
    words: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Enterprises:
    """What is searched for. `area` and `activity` are beginnings of codes."""

    owner: str | None = None
    deregistered: bool | None = None
    words: str | None = None
    area: str | None = None
    activity: str | None = None
    capital: Capital | None = None
    since: date | None = None
    until: date | None = None


async def applications(
    connection: asyncpg.Connection, wanted: Applications, after: tuple[datetime, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """Applications, the latest first, from behind `after` (submitted_at, id)."""
    conditions, values = _all(
        [
            ("filed_by = ?", wanted.owner),
            ("status = ?", wanted.status),
            *_words("enterprise_name", wanted.words),
            ("submitted_at >= (?::date::timestamp AT TIME ZONE 'Asia/Shanghai')", wanted.since),
            ("submitted_at < ((?::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')", wanted.until),
            ("(submitted_at, id) < (?, ?)", after),
        ]
    )
    query = f"SELECT {APPLICATION_ITEM} FROM application WHERE {conditions} ORDER BY submitted_at DESC, id DESC"
    return list(await connection.fetch(f"{query} LIMIT {limit}", *values))


async def enterprises(
    connection: asyncpg.Connection, wanted: Enterprises, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Enterprises by identifier, from behind `after`."""
    conditions, values = _all(
        [
            ("filed_by = ?", wanted.owner),
            ("(deregistered_on IS NOT NULL) = ?", wanted.deregistered),
            *_words("name", wanted.words),
            ("area LIKE ? || '%'", wanted.area),
            ("EXISTS (SELECT FROM unnest(activities) code WHERE code LIKE ? || '%')", wanted.activity),
            ("capital = ?", wanted.capital),
            ("registered_on >= ?", wanted.since),
            ("registered_on <= ?", wanted.until),
            ("uscc > ?", after),
        ]
    )
    query = f"SELECT {ENTERPRISE_ITEM} FROM enterprise WHERE {conditions} ORDER BY uscc LIMIT {limit}"
    return list(await connection.fetch(query, *values))


def _words(column: str, words: str | None) -> list[tuple[str, Any]]:
    """Two characters and more are looked up in the index over pairs of characters."""
    if words is None:
        return []
    if USCC.fullmatch(words):
        return [("uscc = ?", words)]
    folded = words.lower()
    part = [(f"position(? IN lower({column})) > 0", folded)]
    return part if len(folded) < 2 else [(f"name_grams(lower({column})) @> name_grams(?)", folded), *part]


def _all(conditions: Iterable[tuple[str, Any]]) -> tuple[str, list[Any]]:
    """The conditions that have a value, each `?` numbered, and the values. A search is planned for what it asks."""
    texts, values = ["true"], []
    for text, given in conditions:
        if given is None:
            continue
        parts = given if isinstance(given, tuple) else (given,)
        for value in parts:
            values.append(value)
            text = text.replace("?", f"${len(values)}", 1)
        texts.append(text)
    return " AND ".join(texts), values
