"""Score every enterprise by the scorecard in the shadow, in bulk, while events are scored by the one in force.

One process does it, on the connection that holds a lock. Who goes on after a kill goes on behind the last batch: its
rows, their counters and the place are one transaction. A batch is read while the one before is scored and the one
before that is written. What events touch meanwhile is scored again at the end, the last of it while nobody
scores; from then on events keep both. Rows whose partition has gone on to a later date since are found like any other
that time changes: their next step has come.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import NamedTuple

import asyncpg
import numpy as np
import structlog

from libs.common import crash
from libs.common.clock import Clock
from libs.common.database import Database, connect, reading
from services.risk import scorecards, vectorised
from services.risk.domain import Scorecard
from services.risk.repository import facts as facts_repository
from services.risk.repository import profiles
from services.risk.repository import scorecards as cards_repository
from services.risk.repository import shadow as repository
from services.risk.repository.profiles import FORCE, SHADOW, Counted, Traits
from services.risk.repository.shadow import Batch
from services.risk.use_cases.judging import Said, dimensions, judge_beside
from services.risk.use_cases.scoring import STEP

log = structlog.get_logger()

POLL_SECONDS = 0.5
BATCH = 30_000
AT_ONCE = 5_000
"""Enterprises that are scored again in one transaction, at the end while nobody else scores."""
ROUNDS = 20
LIMITS = {
    # A frozen process loses its lock, and with it the connection that it would write on.
    "idle_session_timeout": "5s", "idle_in_transaction_session_timeout": "5s", "statement_timeout": "600s",
    "lock_timeout": "4s", "maintenance_work_mem": "256MB",
}  # fmt: skip


class Overtaken(Exception):
    """The scorecard has left the shadow, or it is scored anew."""


class Done(NamedTuple):
    """A batch as it is written: its last USCC, its rows, and what they add to the counters."""

    last: str
    rows: bytes
    counts: Counter[Counted]


async def score_shadows(database: Database, clock: Clock, stop: asyncio.Event) -> None:
    """Score by whatever scorecard stands in the shadow, until `stop`."""
    while not stop.is_set():
        try:
            if await score_shadow(database, clock, stop):
                continue
        except Exception as error:
            log.warning("scoring by the shadow is interrupted", service=database.service, error=repr(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL_SECONDS)


async def score_shadow(database: Database, clock: Clock, stop: asyncio.Event | None = None) -> bool:
    """Score by the scorecard in the shadow to the end. False where there is none to score by, another process does it,
    or `stop` was set."""
    async with reading(database) as connection:
        digest = await connection.fetchval(cards_repository.TO_BE_SCORED)
        if digest is None:
            return False
        scorecard = await scorecards.of_digest(connection, digest)
    writer = await connect(database, **LIMITS)
    try:
        if not await writer.fetchval(repository.ONE_RUNNER):
            return False
        async with writer.transaction():
            state = await repository.begin(writer, digest)
        if not await _score_all(database, writer, scorecard, state["behind"], state["began_in"], stop):
            return False
        await repository.index(writer)
        return await _catch_up(writer, scorecard, state["began_in"], clock)
    finally:
        await writer.close(timeout=5)


async def _score_all(
    database: Database, writer: asyncpg.Connection, scorecard: Scorecard, behind: str, began_in: int,
    stop: asyncio.Event | None,
) -> bool:  # fmt: skip
    """Every enterprise behind this USCC, batch by batch. False where `stop` was set before the last."""
    reader = await connect(database, statement_timeout="60s")
    ready: asyncio.Queue[Done | None] = asyncio.Queue(1)
    read: asyncio.Queue[tuple[Batch, dict[int, date]] | None] = asyncio.Queue(1)

    async def read_all() -> None:
        last = behind
        while stop is None or not stop.is_set():
            dates = await profiles.dates(reader)  # before the rows: of their date, or of an earlier one
            batch = await repository.batch(reader, last, BATCH)
            if not batch.standing.size:
                break
            last = batch.last
            await read.put((batch, dates))
        await read.put(None)

    async def score_each() -> None:
        while (found := await read.get()) is not None:
            await ready.put(await asyncio.to_thread(scored, *found, scorecard, began_in))
        await ready.put(None)

    async def write_each() -> None:
        while (done := await ready.get()) is not None:
            await _write(writer, scorecard.digest, done)

    try:
        async with asyncio.TaskGroup() as group:
            for part in (read_all, score_each, write_each):
                group.create_task(part())
    finally:
        reader.terminate()
    return stop is None or not stop.is_set()


def scored(batch: Batch, dates: dict[int, date], scorecard: Scorecard, began_in: int) -> Done:
    """Their profiles by this scorecard, each at its partition's date, as the rows and counters that are written."""
    day_of = np.zeros(max(dates, default=0) + 1, np.int32)
    for partition, on in dates.items():
        day_of[partition] = vectorised.days(on)
    of = batch.standing
    scores = vectorised.score(vectorised.columns(batch.live, scorecard), day_of[of["partition"]], scorecard)
    counts: Counter[Counted] = Counter()
    alike = Counter(
        zip(*(of[name].tolist() for name in ("partition", "division", "area", "foreign")), scores.risk_class.tolist(),
            strict=True)
    )  # fmt: skip
    for (partition, division, area, foreign, risk_class), enterprises in alike.items():
        traits = Traits(
            None if division < 0 else division, area.decode().rstrip() or None, None if foreign < 0 else foreign > 0
        )
        for dimension, key in dimensions(traits):
            counts[partition, dimension, key, risk_class] += enterprises
    return Done(batch.last, repository.rows_of(batch, scores, began_in), counts)


async def _write(writer: asyncpg.Connection, digest: str, done: Done) -> None:
    async with writer.transaction():
        if not await writer.fetchval(repository.GO_ON, digest, done.last):
            raise Overtaken
        await repository.copy(writer, done.rows)
        await profiles.count(writer, done.counts, SHADOW)
        await writer.execute(repository.PROGRESS, digest, await writer.fetchval(repository.COUNTED), None)
        crash.point("shadow.before_commit")
    crash.point("shadow.after_commit")


async def _catch_up(writer: asyncpg.Connection, scorecard: Scorecard, began_in: int, clock: Clock) -> bool:
    """Score again what was touched since, and what is touched while that is done, until little is left; that little
    while nobody scores. False where there is no end to it: somebody holds an old transaction."""
    since = began_in
    for _ in range(ROUNDS):
        now = await writer.fetchval(repository.NOW)
        touched = await writer.fetch(repository.TOUCHED, since)
        if len(touched) <= AT_ONCE:
            await _finish(writer, scorecard, since, clock)
            return True
        for at in range(0, len(touched), AT_ONCE):
            async with writer.transaction():
                await _score_again(writer, scorecard, touched[at : at + AT_ONCE])
        since = now
    log.warning("what events touch is not caught up with", digest=scorecard.digest, touched=len(touched))
    return False


async def _finish(writer: asyncpg.Connection, scorecard: Scorecard, since: int, clock: Clock) -> None:
    async with writer.transaction():
        await scorecards.hold_for_change(writer)
        if not await writer.fetchval(repository.FINISH, scorecard.digest):
            raise Overtaken
        await _score_again(writer, scorecard, await writer.fetch(repository.TOUCHED, since))
        done = await writer.fetchval(repository.COUNTED)
        await writer.execute(repository.PROGRESS, scorecard.digest, done, done)
        row = await cards_repository.one(writer, cards_repository.SCORED, scorecard.digest, clock.now())
        if row is None:
            raise Overtaken
        await cards_repository.say(writer, row, "scored", cards_repository.SERVICE, clock.now())
        partitions = sorted(await profiles.dates(writer))
        await profiles.next_steps(writer, STEP, partitions, [FORCE, SHADOW])
        crash.point("shadow.before_finish")


async def _score_again(writer: asyncpg.Connection, scorecard: Scorecard, touched: Sequence[asyncpg.Record]) -> None:
    """What these enterprises, as they stand by the scorecard in force, are by the one in the shadow."""
    if not touched:
        return
    dates = await profiles.dates(writer)
    said = {row["uscc"]: Said(row["announced_class"], row["class_changed_on"]) for row in touched}
    known = (await facts_repository.known(writer, list(said))).scored()
    await judge_beside(writer, known, dates, scorecard, [said[uscc] for uscc in known.usccs])
