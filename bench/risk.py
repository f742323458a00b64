"""Risk: an event to its fact, profile and announcement, against writing the same rows alone, the ORM, consuming alone.

Two members; the rebuild.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import asyncpg
import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from bench import relay
from bench.consumer import EVENTS, consumed, only_consumed, publish
from bench.enterprises import TODAY
from bench.figures import console, interleaved, show
from bench.ground import Ground, ground
from libs.common import kafka
from libs.common.clock import BusinessClock, Clock
from libs.common.database import Database, connect
from libs.common.envelope import Incoming, read, source_of
from libs.common.service import Service
from libs.common.settings import Settings
from services.registration.service import service as registration
from services.risk import packed, reactions, rebuild, vectorised
from services.risk import scorecards as cards
from services.risk import tables as rows
from services.risk.packed import Facts
from services.risk.service import service as risk
from services.risk.service import use_scorecard

ROUNDS = 3
ORM_EVENTS = 6_000
KEPT = (
    "fact_sheet",
    "profile",
    "counter",
    "daily_counter",
    "class_change",
    "assessment",
    "outbox",
    "outbox_counter",
    "due",
)
LATER_ONES = """
UPDATE outbox SET type = 'registration.enterprise_changed.v1', data = convert_to(CASE sequence % 2
    WHEN 0 THEN '{"changed": ["legal_representative"], "changed_on": "2026-01-05"}'
    ELSE '{"changed": ["area"], "area": "310106013", "changed_on": "2026-01-05"}' END, 'UTF8')
WHERE sequence > 1
"""
"""Each enterprise is registered once (six facts), then changed (one fact, or two)."""
TAKEN = "SELECT coalesce(sum(next_offset), 0) FROM position WHERE topic LIKE '%registration.events'"
SAID = ("outbox", "class_change")
SAME_ROWS = {
    "fact_sheet": "(uscc) DO UPDATE SET live = excluded.live, past = excluded.past",
    "profile": "(uscc) DO UPDATE SET score = excluded.score, risk_class = excluded.risk_class,"
    " next_step_on = excluded.next_step_on, reasons = excluded.reasons, scored_in = excluded.scored_in",
    "mark": "(source, subject) DO UPDATE SET sequence = excluded.sequence, recent = excluded.recent",
}


@dataclass(slots=True)
class Batches:
    """What each batch of a run touched, so that the same rows can be written again without the work."""

    touched: list[list[str]] = field(default_factory=list)

    async def apply(self, session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> None:
        await reactions.apply(session, events, clock)
        self.touched.append(sorted({event.subject for event in events}))


async def measure(on: Ground) -> None:
    await consumption(on)
    await members()


async def consumption(on: Ground) -> None:
    theirs, their_database = await on.prepared(registration)
    ours, database = await on.prepared(risk)
    await use_scorecard(database, BusinessClock(TODAY))
    await publish(theirs, their_database, LATER_ONES)
    batches = Batches()
    service = replace(risk, apply=batches.apply, works=())
    whole, alone, orm = "event to fact, profile, outbox", "COPY and upsert of the same rows", "the same by the ORM"
    fold, limit = "the same fold, nothing written", "getmany alone"
    await scored(ours, database, service, batches)  # the rows that are written again come from this run
    found = await interleaved(
        {
            whole: partial(scored, ours, database, service, batches),
            alone: partial(same_rows, database, batches),
            orm: partial(by_orm, database),
            fold: partial(folded, theirs),
            limit: partial(only_consumed, theirs, theirs.events_topic, decode=False),
        },
        ROUNDS,
    )
    show(
        f"Risk: {EVENTS:,} events, {relay.SUBJECTS:,} enterprises",
        "events/s",
        found,
        against=limit,
    )
    ratio = {name: runs.median for name, runs in found.items()}
    console.print(
        f"of the same rows alone {ratio[whole] / ratio[alone]:.2f} (aim 0.6); "
        f"of the ORM {ratio[whole] / ratio[orm]:.1f}x (aim 12x); "
        f"fold of consuming alone {ratio[fold] / ratio[limit]:.2f} (aim 0.4)"
    )
    await scored(ours, database, service, batches)
    began = time.perf_counter()
    cut = await rebuild.take_cut(database)
    rebuilt = await rebuild.rebuild(cut, ours)
    differences = rebuild.compare(cut, rebuilt)
    seconds = time.perf_counter() - began
    console.print(f"rebuild: {rebuilt.events / seconds:,.0f} events/s, {len(differences)} differences")
    await their_database.engine.dispose()
    await database.engine.dispose()


async def scored(settings: Settings, database: Database, service: Service, batches: Batches) -> float:
    batches.touched.clear()
    connection = await connect(database)
    await connection.execute(f"TRUNCATE {', '.join(KEPT)} RESTART IDENTITY")
    await connection.close()
    return await consumed(settings, database, service)


async def same_rows(database: Database, batches: Batches) -> float:
    """Every row that a run has written, as often, by COPY and upsert in as many transactions: the limit."""
    connection = await connect(database, statement_timeout="600s")
    columns = {name: await _columns(connection, name) for name in (*SAME_ROWS, *SAID)}
    kept = {name: await _kept(connection, name, columns[name]) for name in SAME_ROWS}
    said = {name: await connection.fetch(f"SELECT {columns[name]} FROM {name} ORDER BY 1") for name in SAID}
    for name in (*SAME_ROWS, *SAID):
        await connection.execute(f"CREATE TEMP TABLE new_{name} AS SELECT {columns[name]} FROM {name} LIMIT 0")
    await connection.execute(f"TRUNCATE {', '.join((*SAME_ROWS, *SAID))}")
    share = {name: -(-len(rows) // len(batches.touched)) for name, rows in said.items()}
    began = time.perf_counter()
    for number, touched in enumerate(batches.touched):
        async with connection.transaction():
            for name, conflict in SAME_ROWS.items():
                mine = [row for one in touched for row in kept[name].get(one, ())]
                await connection.copy_records_to_table(f"new_{name}", records=mine)
                await connection.execute(
                    f"INSERT INTO {name} ({columns[name]}) SELECT * FROM new_{name} ON CONFLICT {conflict};"
                    f"TRUNCATE new_{name}"
                )
            for name, rows_said in said.items():
                part = rows_said[number * share[name] : (number + 1) * share[name]]
                await connection.copy_records_to_table(
                    name, records=part, columns=columns[name].replace('"', "").split(", ")
                )
    seconds = time.perf_counter() - began
    await connection.close()
    return EVENTS / seconds


async def _columns(connection: asyncpg.Connection, table: str) -> str:
    found = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attidentity = '' ORDER BY attnum", table,
    )  # fmt: skip
    return ", ".join(f'"{row["attname"]}"' for row in found)


async def _kept(connection: asyncpg.Connection, table: str, columns: str) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    key = "subject" if table == "mark" else "uscc"
    for row in await connection.fetch(f"SELECT {columns} FROM {table}"):
        found.setdefault(row[key], []).append(tuple(row))
    return found


async def by_orm(database: Database) -> float:
    """The sheets and profiles of as many events by `merge`, in batches of 500, as one would write it first."""
    connection = await connect(database)
    sheets = await connection.fetch("SELECT * FROM fact_sheet LIMIT 500")
    profiles = {row["uscc"]: row for row in await connection.fetch("SELECT * FROM profile")}
    await connection.close()
    began = time.perf_counter()
    for _ in range(ORM_EVENTS // 500):
        async with AsyncSession(database.engine) as session:
            for sheet in sheets:
                await session.merge(rows.FactSheet(**dict(sheet)))
                if (profile := profiles.get(sheet["uscc"])) is not None:
                    await session.merge(rows.Profile(**dict(profile)))
            await session.commit()
    return ORM_EVENTS / (time.perf_counter() - began)


async def folded(settings: Settings) -> float:
    """Read, decode, state facts, merge with what is known, score: all but the database."""
    known: dict[str, bytes] = {}
    scorecard, day, seen = cards.shipped(), vectorised.days(TODAY), 0
    async with kafka.reader(settings, settings.events_topic) as client:
        began = time.perf_counter()
        while seen < EVENTS:
            answer = await client.getmany(timeout_ms=200, max_records=20_000)
            records = [record for batch in answer.values() for record in batch]
            seen += len(records)
            events = [read(record, source_of("registration")) for record in records]
            facts = [fact for event in events if isinstance(event, Incoming) for fact in reactions.facts_stated(event)]
            if not facts:
                continue
            numbers = {subject: n for n, subject in enumerate(sorted({fact.subject for fact in facts}))}
            there = [known.get(subject, b"") for subject in numbers]
            new = Facts(np.array([numbers[fact.subject] for fact in facts], np.int32), packed.pack(facts))
            held, _ = packed.merged(packed.joined([len(one) for one in there], b"".join(there)), new)
            known.update(zip(numbers, packed.split(held, len(numbers)), strict=True))
            vectorised.score(vectorised.columns(held, scorecard), np.full(len(numbers), day, np.int32), scorecard)
        return EVENTS / (time.perf_counter() - began)


async def members() -> None:
    """One process of risk, then two, from the first event to the last."""
    found = await interleaved({"one member": partial(_by_members, 1), "two members": partial(_by_members, 2)}, ROUNDS)
    show("Members of risk, each a process", "events/s", found, against="one member")


async def _by_members(many: int) -> float:
    """On a ground of their own: what a run before has announced would stand on their topic."""
    async with ground() as on:
        theirs, their_database = await on.prepared(registration)
        _, database = await on.prepared(risk)
        connection = await connect(database)
        processes = [on.process("risk") for _ in range(many)]
        for process in processes:
            process.start(BUSINESS_START=TODAY.isoformat())
        for process in processes:
            process.wait_ready()
        await publish(theirs, their_database, LATER_ONES)
        await their_database.engine.dispose()
        while not (first := await connection.fetchval(TAKEN)):
            await asyncio.sleep(0.005)
        began = time.perf_counter()
        while await connection.fetchval(TAKEN) < EVENTS:
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - began
        await connection.close()
        await database.engine.dispose()
        return float(EVENTS - first) / seconds


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
