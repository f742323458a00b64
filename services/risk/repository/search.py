"""The search over profiles. No index holds the score or the reasons: they change with every fact, and a profile is
rewritten in place; what is indexed (class, division, area, day of the class change) changes rarely.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from services.risk.domain import RiskClass, Scorecard
from services.risk.domain.sections import SECTIONS, divisions_of

COLUMNS = "uscc, score, risk_class, assessed_on, division, area, foreign_invested, class_changed_on"
LOOKED_AT = 20_000
"""Rows that one page of a search by indicator looks at; nothing indexes the reasons."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is searched for; None where it does not matter. All that are given must hold."""

    risk_class: RiskClass | None = None
    sector: str | None = None
    area: str | None = None
    indicator: str | None = None
    foreign_invested: bool | None = None
    changed_since: date | None = None


def where(filters: Filters) -> str:
    """The condition over `profile p`, without the indicator. Values stand in it as they are, so that each search is
    planned for what it asks: a rare area and a common class want different indexes. All of them are numbers, dates or
    codes that the routes have checked."""
    conditions = ["true"]
    if filters.risk_class is not None:
        conditions.append(f"p.risk_class = {int(filters.risk_class)}")
    if filters.sector is not None:
        conditions.append(f"p.division = ANY('{{{','.join(map(str, _divisions(filters.sector)))}}}'::smallint[])")
    if filters.area is not None:
        conditions.append(f"p.area = '{int(filters.area):0{len(filters.area)}}'")
    if filters.foreign_invested is not None:
        conditions.append(f"p.foreign_invested = {str(filters.foreign_invested).lower()}")
    if filters.changed_since is not None:
        conditions.append(f"p.class_changed_on >= '{filters.changed_since.isoformat()}'::date")
    return " AND ".join(conditions)


def _divisions(sector: str) -> Sequence[int]:
    return list(divisions_of(sector)) if sector in SECTIONS else [int(sector)]


def reasons(indicator: str, scorecard: Scorecard) -> int:
    """The bits of `profile.reasons` under which rules over this indicator count; 0 where there is none."""
    return sum(1 << bit for bit, rule in enumerate(scorecard.all_rules) if rule.indicator == indicator)


def page_query(filters: Filters) -> str:
    """(USCC before, limit, bits or 0, rows to look at): enterprises behind that USCC, in its order."""
    found = f"SELECT p.* FROM profile p WHERE p.uscc > $1 AND {where(filters)} ORDER BY p.uscc"
    if filters.indicator is not None:
        found = f"SELECT p.* FROM ({found} LIMIT $4) p WHERE p.reasons & $3 <> 0 ORDER BY p.uscc"
    return f"SELECT {COLUMNS} FROM ({found} LIMIT $2) p JOIN assessment a USING (partition) ORDER BY p.uscc"


def last_looked_at(filters: Filters) -> str:
    """(USCC before, rows to look at): the last USCC that such a page has looked at, null where it was at the end."""
    return f"""
    SELECT p.uscc FROM profile p WHERE p.uscc > $1 AND {where(filters)} ORDER BY p.uscc OFFSET $2 - 1 LIMIT 1
    """


async def search(
    connection: asyncpg.Connection, filters: Filters, scorecard: Scorecard | None, behind: str, limit: int
) -> tuple[list[asyncpg.Record], str | None]:
    """Up to `limit` enterprises behind this USCC, and the USCC behind which to go on; None where there are no more.
    The scorecard says by which rules an indicator counts; without an indicator nobody asks it."""
    if filters.indicator is None:
        rows = await connection.fetch(page_query(filters), behind, limit + 1)
        return rows[:limit], rows[limit - 1]["uscc"] if len(rows) > limit else None
    bits = reasons(filters.indicator, scorecard) if scorecard else 0
    if not bits:
        return [], None
    rows = await connection.fetch(page_query(filters), behind, limit + 1, bits, LOOKED_AT)
    if len(rows) > limit:
        return rows[:limit], rows[limit - 1]["uscc"]
    return rows, await connection.fetchval(last_looked_at(filters), behind, LOOKED_AT)


def export_query(filters: Filters, scorecard: Scorecard) -> tuple[str, list[Any]]:
    """All that the filters find, in the order of USCC."""
    condition, values = where(filters), []
    if filters.indicator is not None:
        condition, values = f"{condition} AND p.reasons & $1 <> 0", [reasons(filters.indicator, scorecard)]
    return (
        f"SELECT {COLUMNS} FROM profile p JOIN assessment a USING (partition) WHERE {condition} ORDER BY p.uscc",
        values,
    )
