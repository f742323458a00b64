"""Days that pass; every enterprise scored anew by a scorecard in the shadow, against copying the same facts out; and
put in force, and back."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
from rich.table import Table
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.enterprises import FACTS, TODAY, fill
from bench.figures import Runs, console
from bench.ground import Ground, ground
from libs.common.clock import BusinessClock
from libs.common.database import Database, connect
from libs.common.due import fire
from libs.common.identity import Caller
from libs.common.transaction import once
from services.risk import scorecards, use_cases
from services.risk.repository import profiles
from services.risk.repository.profiles import FORCE
from services.risk.service import service as risk
from services.risk.service import use_scorecard

ENTERPRISES = 300_000
ROUNDS = 3
DAYS = (1, 5)
COPY_OUT = "SELECT f.uscc, f.live FROM fact_sheet f"
ANALYST, REGULATOR = (Caller(name, frozenset({role})) for name, role in (("a", "risk_analyst"), ("r", "regulator")))


async def measure(on: Ground, enterprises: int = ENTERPRISES, rounds: int = ROUNDS) -> None:
    _, database = await on.prepared(risk)
    clock = BusinessClock(TODAY)
    await use_scorecard(database, clock)
    began = time.perf_counter()
    await fill(database, enterprises)
    console.print(f"{enterprises:,} enterprises with {FACTS} facts each, filled in {time.perf_counter() - began:.0f} s")
    connection = await connect(database, statement_timeout="1200s")
    await days_pass(database, connection, clock)
    out, scored, whole = [], [], []
    for number in range(rounds):
        out.append(await copied_out(connection))
        digest = await in_the_shadow(database, clock, 20 + number)
        began = time.perf_counter()
        watching = asyncio.create_task(all_scored(database, digest, enterprises))
        if not await use_cases.score_shadow(database, clock):
            raise RuntimeError("not scored")
        whole.append(time.perf_counter() - began)
        scored.append(await watching - began)
    title = f"A scorecard in the shadow: {enterprises:,} enterprises scored anew"
    table = Table("", "seconds: median (range)", "k enterprises/s", "ratio", title=title, title_justify="left")
    limit = Runs(tuple(out)).median
    took = {"copy the facts out": out, "read, score, write": scored, "and indexed, and caught up with": whole}
    for name, seconds in took.items():
        middle = Runs(tuple(seconds)).median
        table.add_row(name, f"{middle:.2f} ({min(seconds):.2f} to {max(seconds):.2f})",
                      f"{enterprises / middle / 1000:,.0f}", f"{limit / middle:.2f}")  # fmt: skip
    console.print(table)
    await exchanged(database, connection, digest, clock)
    await connection.close()
    await database.engine.dispose()


async def days_pass(database: Database, connection: asyncpg.Connection, clock: BusinessClock) -> None:
    """What a day costs: as much as there are enterprises with a step on it."""
    await profiles.next_steps(connection, use_cases.STEP, list(range(12)), [FORCE])
    title = "Days that pass: enterprises whose step has come are scored again"
    table = Table("days", "scored again", "announced", "seconds", "k scored/s", title=title, title_justify="left")
    for days in DAYS:
        stepped, seconds = 0, 0.0
        changes = await connection.fetchval("SELECT count(*) FROM class_change")
        for _ in range(days):
            on = clock.today() + timedelta(1)
            stepped += await connection.fetchval("SELECT count(*) FROM profile WHERE next_step_on <= $1", on)
            clock.advance(on)
            seconds += await fired(database, clock)
        changed = await connection.fetchval("SELECT count(*) FROM class_change") - changes
        table.add_row(str(days), f"{stepped:,}", f"{changed:,}", f"{seconds:.1f}", f"{stepped / seconds / 1000:.1f}")
    console.print(table)


async def fired(database: Database, clock: BusinessClock) -> float:
    """Seconds until nothing is due any more."""
    began = time.perf_counter()
    while await fire(risk, database, clock):
        pass
    return time.perf_counter() - began


async def all_scored(database: Database, digest: str, enterprises: int) -> float:
    """When the progress of the scorecard first told that all are scored."""
    connection = await connect(database)
    while (await connection.fetchval("SELECT scored FROM scorecard WHERE digest = $1", digest)) < enterprises:
        await asyncio.sleep(0.05)
    await connection.close()
    return time.perf_counter()


async def copied_out(connection: asyncpg.Connection) -> float:
    async def drop(_: bytes) -> None:
        """Only the way out is measured."""

    began = time.perf_counter()
    await connection.copy_from_query(COPY_OUT, output=drop, format="binary")
    return time.perf_counter() - began


async def in_the_shadow(database: Database, clock: BusinessClock, points: int) -> str:
    """A scorecard of its own in the shadow; the one before gives way."""
    document = copy.deepcopy(scorecards.to_document(scorecards.shipped()))
    young = next(rule for rule in document["rules"] if rule["name"] == "newly_registered")
    young["steps"][0]["points"] = points
    document |= {"name": f"card-{points}", "valid_from": TODAY.isoformat()}
    connection = await connect(database)
    there = await connection.fetchrow("SELECT digest, version FROM scorecard WHERE state = 'shadow'")
    await connection.close()

    async def act(session: AsyncSession) -> Mapping[str, Any]:
        if there is not None:
            await use_cases.withdraw_scorecard(session, there["digest"], there["version"], "bench", ANALYST, clock)
        row = await use_cases.draft_scorecard(session, document, ANALYST, clock)
        return await use_cases.begin_shadow(session, row["digest"], row["version"], "bench", ANALYST, clock)

    return str((await once(database, act))["digest"])


async def exchanged(database: Database, connection: asyncpg.Connection, digest: str, clock: BusinessClock) -> None:
    """Both signatures, forth and back: how long nobody scores, and how long until all that changes is announced."""
    before = await connection.fetchval("SELECT digest FROM scorecard WHERE state = 'active'")

    async def activation(session: AsyncSession) -> Mapping[str, Any]:
        version = await connection.fetchval("SELECT version FROM scorecard WHERE digest = $1", digest)
        return await use_cases.propose_activation(session, digest, version, "bench", ANALYST, clock)

    async def rollback(session: AsyncSession) -> Mapping[str, Any]:
        return await use_cases.propose_rollback(session, "bench", ANALYST, clock)

    for name, propose, card in (("put in force", activation, digest), ("rolled back", rollback, before)):
        differs = await connection.fetchval("SELECT count(*) FROM shadow_profile WHERE risk_class <> announced_class")
        row = await once(database, propose)
        began = time.perf_counter()
        await once(database, partial(_sign, digest=card, version=row["version"], clock=clock))
        signed = time.perf_counter() - began
        seconds = await fired(database, clock)
        console.print(
            f"{name} in {signed * 1000:.0f} ms; {differs:,} changed classes announced in {seconds:.1f} s "
            f"({differs / seconds:,.0f} a second)"
        )


async def _sign(session: AsyncSession, digest: str, version: int, clock: BusinessClock) -> Mapping[str, Any]:
    return await use_cases.sign_activation(session, digest, version, REGULATOR, clock)


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
