"""Enterprises by the million, each with ten facts that hold, scored and counted as if their events had come one by one:
what the measurements of risk stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import numpy as np
from numpy.typing import NDArray

from libs.common.database import Database, connect
from libs.common.kafka import partition_of
from services.risk import packed, vectorised
from services.risk.domain import Scorecard
from services.risk.packed import PACKED, Facts
from services.risk.repository import binary, shadow
from services.risk.repository.profiles import count
from services.risk.repository.shadow import Batch
from services.risk.scorecards import shipped
from services.risk.use_cases.shadowing import scored

TODAY = date(2026, 1, 5)
AT_ONCE = 50_000
FACTS = 10
NEXT_SEQUENCE = FACTS + 1
"""Of each enterprise and source: what its next event would be."""

# (indicator, values, greatest age in days)
KINDS = (
    ("newly_registered", (1,), 3000),
    ("registered_capital", (500_000, 2_000_000, 20_000_000), 3000),
    ("industry_risk", (1400, 5210, 6210, 7249, 6900), 3000),
    ("foreign_invested", (0, 10_000), 3000),
    ("area", (310106012, 310106013, 310106015), 3000),
    ("address_changes_12m", (1,), 700),
    ("penalties_3y", (1,), 1500),
    ("spot_check_fail_3y", (1,), 1500),
    ("abnormal_list_count_3y", (1,), 1500),
    ("scope_changes_12m", (1,), 700),
)


def uscc(number: int) -> str:
    return f"91310106MA{number:07}X"


def facts_of(many: int, random: np.random.Generator) -> NDArray[np.void]:
    """The facts of these enterprises, ten of each, in the order in which they are kept."""
    facts = np.zeros((many, FACTS), PACKED)
    facts["record"] = random.integers(1, 2**62, (many, FACTS, 2), np.uint64)
    facts["source"] = packed.code("/jingan/registration")
    facts["sequence"] = np.arange(1, FACTS + 1)
    facts["event_id"] = random.integers(1, 2**62, (many, FACTS, 2), np.uint64)
    today = vectorised.days(TODAY)
    for column, (indicator, values, oldest) in enumerate(KINDS):
        facts["indicator"][:, column] = packed.code(indicator)
        facts["value"][:, column] = random.choice(values, many)
        facts["legal_date"][:, column] = today - random.integers(0, oldest, many)
    order = np.argsort(facts["record"][:, :, 0], axis=1)
    return np.take_along_axis(facts, order, axis=1).reshape(-1)


async def fill(database: Database, enterprises: int) -> None:
    """Facts, profiles, counters and dates of so many enterprises."""
    connection = await connect(database, statement_timeout="1200s")
    await connection.execute("TRUNCATE fact_sheet, profile, counter, assessment, daily_counter")
    await connection.execute(
        "INSERT INTO assessment (partition, assessed_on) SELECT p, $1 FROM generate_series(0, 11) p", TODAY
    )
    random, scorecard = np.random.default_rng(7), shipped()
    for first in range(0, enterprises, AT_ONCE):
        await _fill(connection, first, min(AT_ONCE, enterprises - first), random, scorecard)
    await connection.execute("VACUUM ANALYZE fact_sheet")
    await connection.execute("VACUUM ANALYZE profile")
    await connection.close()


async def _fill(
    connection: asyncpg.Connection, first: int, many: int, random: np.random.Generator, scorecard: Scorecard
) -> None:
    names = [uscc(number) for number in range(first, first + many)]
    live = facts_of(many, random)
    sheets = live.view(np.uint8).reshape(many, -1)
    whole = np.full(many, sheets.shape[1], np.int32)
    nothing = binary.Field(np.zeros((many, 0), np.uint8), np.zeros(many, np.int32))
    rows = binary.copied(binary.texts(names), binary.Field(sheets, whole), nothing)
    await _copy(connection, "fact_sheet", rows)
    facts = Facts(np.repeat(np.arange(many, dtype=np.int32), FACTS), live)
    value = {
        name: live["value"][live["indicator"] == packed.code(name)].tolist()
        for name in ("industry_risk", "area", "foreign_invested")
    }
    on = np.full(many, vectorised.days(TODAY), np.int32)
    classes = vectorised.score(vectorised.columns(facts, scorecard), on, scorecard).risk_class.tolist()
    standing = np.zeros(many, shadow.READ)
    standing["uscc"], standing["announced"], standing["since"] = names, classes, vectorised.days(TODAY)
    standing["partition"] = [partition_of(name) for name in names]
    standing["division"] = [industry // 100 for industry in value["industry_risk"]]
    standing["area"] = [f"{area:09}" for area in value["area"]]
    standing["foreign"] = [share > 0 for share in value["foreign_invested"]]
    batch = Batch(standing, facts)
    done = scored(batch, dict.fromkeys(range(12), TODAY), scorecard, 1)
    await _copy(connection, "profile", done.rows, shadow.COLUMNS)
    await count(connection, done.counts, "")


async def _copy(
    connection: asyncpg.Connection, table: str, rows: bytes, columns: tuple[str, ...] | None = None
) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield rows

    await connection.copy_to_table(table, source=source(), format="binary", columns=columns)
