"""Enterprises of an older register are entered, many at a time, each once."""

from collections.abc import Sequence
from datetime import date
from uuid import uuid4

import asyncpg
import msgspec

from libs.common import outbox
from libs.common.clock import Clock
from services.registration import domain
from services.registration.domain import names, reports
from services.registration.domain.imported import Imported
from services.registration.published_events import EnterpriseTakenOver
from services.registration.use_cases.reports import ANNUAL_OVERDUE, DAY

STAGE = """
CREATE TEMP TABLE IF NOT EXISTS arriving (
    uscc text, registered_on date, name text, enterprise_type text, registered_capital numeric, capital_currency text,
    activities text[], area text, nationality text, capital text, facts jsonb, flags text[], parts jsonb, trade text,
    core text, sound text, industry text, division text, name_id uuid) ON COMMIT DELETE ROWS
"""
ENTER = """
INSERT INTO enterprise (uscc, registered_on, name, enterprise_type, registered_capital, capital_currency, activities,
    area, legal_representative_nationality, version, capital, facts, flags)
SELECT uscc, registered_on, name, enterprise_type, registered_capital, capital_currency, activities, area, nationality,
    1, capital, facts, flags FROM arriving ON CONFLICT (uscc) DO NOTHING RETURNING uscc
"""
ENTER_NAMES = """
INSERT INTO name_held (id, state, name, full_name, trade, core, sound, industry, division, held_since, uscc)
SELECT name_id, 'registered', parts, name, trade, core, sound, industry, division, registered_on, uscc FROM arriving
WHERE uscc = ANY($1::text[])
"""


ENTER_SPANS = """
INSERT INTO enterprise_span (uscc, number, valid_from, recorded_at, because, cause, content)
SELECT uscc, 1, registered_on, $2::timestamptz, 'taken_over', name_id, jsonb_build_object(
    'name', name, 'enterprise_type', enterprise_type, 'registered_capital', registered_capital::text,
    'capital_currency', capital_currency, 'capital', capital, 'activities', to_jsonb(activities), 'area', area,
    'legal_representative_nationality', nationality, 'status', 'registered')
FROM arriving WHERE uscc = ANY($1::text[])
"""
ENTER_CLOCKS = """
INSERT INTO due (kind, subject, on_date) SELECT $2::text, uscc, $3::date FROM arriving
WHERE uscc = ANY($1::text[]) AND capital IN ('foreign', 'hk_mo_tw')
"""


async def enter(
    connection: asyncpg.Connection, arrived: Sequence[Imported], policy: domain.Policy, clock: Clock
) -> set[str]:
    """Enter enterprises with their names, in the caller's transaction; returns the identifiers that are new. What they
    are is the beginning of their history here, and those with foreign investors owe their next annual report.

    They are history: each is told of as taken over, so that nobody acts on a registration of long ago.
    """
    await connection.execute(STAGE)
    rows = [_row(one, policy) for one in arrived]
    await connection.copy_records_to_table("arriving", records=rows)
    entered = {row["uscc"] for row in await connection.fetch(ENTER)}
    await connection.execute(ENTER_NAMES, list(entered))
    await connection.execute(ENTER_SPANS, list(entered), clock.now())
    today = clock.today()
    late = today > reports.annual_due(today.year - 1)
    overdue_on = reports.annual_due(today.year if late else today.year - 1) + DAY
    await connection.execute(ENTER_CLOCKS, list(entered), ANNUAL_OVERDUE, overdue_on)
    if told := [_entry(one, clock) for one in arrived if one.uscc in entered]:
        await outbox.write_entries(connection, told)
    return entered


def _entry(one: Imported, clock: Clock) -> outbox.Entry:
    id, structure = uuid4(), one.facts.structure
    said = EnterpriseTakenOver(
        taken_over_on=clock.today(),
        registered_on=one.registered_on,
        enterprise_type=structure.enterprise_type,
        industry=one.facts.activities[0],
        activities=one.facts.activities,
        area=one.facts.place,
        registered_capital=one.registered_capital,
        capital_currency=one.capital_currency,
        foreign_share=structure.holding.foreign,
        capital=structure.capital,
    )
    return outbox.Entry(one.uscc, id, said.type, clock.now(), str(id), None, None, outbox.encode(said))


def _row(one: Imported, policy: domain.Policy) -> tuple[object, ...]:
    facts, structure = one.facts, one.facts.structure
    keys = names.keys(one.name, facts.activities[0], policy)
    kept = msgspec.json.encode(domain.recorded(facts)).decode()
    parts = msgspec.json.encode(one.name).decode()
    on: date = one.registered_on
    return (
        one.uscc, on, one.name.full, structure.enterprise_type, one.registered_capital, one.capital_currency,
        list(facts.activities), facts.place, structure.legal_representative_nationality, structure.capital, kept,
        list(one.flags), parts, keys.trade, keys.core, keys.sound, keys.industry, keys.division, uuid4(),
    )  # fmt: skip
