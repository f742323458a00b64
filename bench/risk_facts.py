"""How facts are kept: a row for each, or one row per enterprise with its facts packed. Figures of decision 0003."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg
import numpy as np
from rich.table import Table

from bench.figures import console
from bench.ground import Ground, ground
from libs.common.database import connect
from services.risk.packed import PACKED, WIDTH
from services.risk.service import service as risk

ENTERPRISES = 300_000
FACTS = 10
BATCH = 5_000
ROUNDS = 5
NAME = "'91310106' || lpad(n::text, 10, '0')"
ROWS = f"""
CREATE TABLE fact_row (subject text, source text, sequence bigint, n smallint, indicator text, legal_date date,
    value bigint, record_id text, event_id uuid, stated_at timestamptz, PRIMARY KEY (subject, source, sequence, n));
INSERT INTO fact_row SELECT {NAME}, '/jingan/registration', f, 0, 'address_changes_12m', '2026-01-05', 1,
    'address:' || gen_random_uuid(), gen_random_uuid(), now()
FROM generate_series(1, $1) n, generate_series(1, $2) f;
"""
PACK = f"""
CREATE TABLE fact_packed (uscc text PRIMARY KEY, live bytea NOT NULL, past bytea NOT NULL);
INSERT INTO fact_packed SELECT {NAME}, $bytes, '' FROM generate_series(1, $1) n;
"""
ADD_ROWS = """
INSERT INTO fact_row SELECT s, '/jingan/credit', $2, 0, 'penalties_3y', '2026-01-05', 1, 'credit:' || gen_random_uuid(),
    gen_random_uuid(), now() FROM unnest($1::text[]) s ON CONFLICT DO NOTHING
"""
READ_ROWS = """
SELECT subject, source, sequence, n, indicator, legal_date, value, record_id, event_id, stated_at FROM fact_row
WHERE subject = ANY($1::text[])
"""
READ_PACKED = """
SELECT string_agg(uscc, ''), array_agg(length(live)), string_agg(live, '') FROM fact_packed
WHERE uscc = ANY($1::text[])
"""
WRITE_PACKED = """
INSERT INTO fact_packed SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[])
ON CONFLICT (uscc) DO UPDATE SET live = excluded.live, past = excluded.past
"""


async def measure(on: Ground, enterprises: int = ENTERPRISES, rounds: int = ROUNDS) -> None:
    _, database = await on.prepared(risk)
    connection = await connect(database, statement_timeout="1200s")
    facts = np.zeros(FACTS, PACKED).tobytes().hex()
    await _each(connection, ROWS.replace("$1", str(enterprises)).replace("$2", str(FACTS)))
    await _each(connection, PACK.replace("$1", str(enterprises)).replace("$bytes", f"'\\x{facts}'::bytea"))
    await connection.execute("VACUUM ANALYZE fact_row")
    await connection.execute("VACUUM ANALYZE fact_packed")
    table = Table(
        "", "bytes per enterprise", f"batch of {BATCH:,}: ms", "copied out: k enterprises/s",
        title=f"Facts of {enterprises:,} enterprises, {FACTS} each", title_justify="left",
    )  # fmt: skip
    random = np.random.default_rng(1)
    batches = [
        [f"91310106{number:010}" for number in random.choice(enterprises, BATCH, replace=False) + 1]
        for _ in range(rounds)
    ]
    took: dict[str, list[float]] = {"rows": [], "packed": []}
    copied: dict[str, list[float]] = {"rows": [], "packed": []}
    for number, subjects in enumerate(batches):
        took["rows"].append(await _seconds(partial(_rows, connection, subjects, number)))
        took["packed"].append(await _seconds(partial(_packed, connection, subjects)))
        copied["rows"].append(await _seconds(partial(_copied_rows, connection)))
        copied["packed"].append(await _seconds(partial(_copied_packed, connection)))
    for kind, name in (("rows", "fact_row"), ("packed", "fact_packed")):
        size = await connection.fetchval("SELECT pg_total_relation_size($1::regclass)", name)
        table.add_row(
            kind, f"{size / enterprises:,.0f}", f"{np.median(took[kind]) * 1000:,.0f}",
            f"{enterprises / np.median(copied[kind]) / 1000:,.0f}",
        )  # fmt: skip
    console.print(table)
    await connection.execute("DROP TABLE fact_row, fact_packed")
    await connection.close()
    await database.engine.dispose()


async def _each(connection: asyncpg.Connection, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            await connection.execute(statement)


async def _seconds(act: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


async def _rows(connection: asyncpg.Connection, subjects: list[str], number: int) -> None:
    async with connection.transaction():
        await connection.execute(ADD_ROWS, subjects, 100 + number)
        await connection.fetch(READ_ROWS, subjects)


async def _packed(connection: asyncpg.Connection, subjects: list[str]) -> None:
    more = bytes(WIDTH)
    async with connection.transaction():
        ((names, lengths, facts),) = await connection.fetch(READ_PACKED, subjects)
        kept, at = [], 0
        for length in lengths:
            kept.append(facts[at : at + length] + more)
            at += length
        codes = [names[place : place + 18] for place in range(0, len(names), 18)]
        await connection.execute(WRITE_PACKED, codes, kept, [b""] * len(codes))


async def _copied_rows(connection: asyncpg.Connection) -> None:
    """In the order of the enterprises, as scoring needs them."""
    await connection.copy_from_query(
        READ_ROWS.partition("WHERE")[0] + "ORDER BY subject", output=_drop, format="binary"
    )


async def _copied_packed(connection: asyncpg.Connection) -> None:
    await connection.copy_from_query("SELECT uscc, live FROM fact_packed", output=_drop, format="binary")


async def _drop(_: bytes) -> None:
    """Only the way out is measured."""


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
