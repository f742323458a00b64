"""python -m services.risk.rebuild: are the live profiles what the topics say? Exit 0 when they are equal.

Reads one cut of the database, applies every event below its positions (except those parked, dropped or skipped: what
was parked is never judged again) to an empty state, scores with the reference scorer, and compares row by row.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

import asyncpg
from rich.console import Console

from libs.common import kafka
from libs.common.database import Database, connect, open_database
from libs.common.envelope import Incoming, read, source_of
from libs.common.kafka import partition_of
from libs.common.settings import Settings
from services.risk import scorecards
from services.risk.domain import Fact, assess, is_registered
from services.risk.reactions import facts_stated
from services.risk.service import service

SETTLE_SECONDS = 60
MOVING = """
SELECT EXISTS (SELECT 1 FROM assessment WHERE moving)
    OR EXISTS (SELECT 1 FROM profile p JOIN assessment a USING (partition) WHERE p.next_step_on <= a.assessed_on)
"""
EXCLUDED = "SELECT source, subject, sequence, id FROM parked"


@dataclass(frozen=True, slots=True)
class Row:
    """A profile as far as the topics decide it."""

    score: int
    risk_class: int
    next_step_on: date | None


@dataclass(frozen=True, slots=True)
class Cut:
    """One consistent read of the database."""

    positions: Mapping[tuple[str, int], int]
    dates: Mapping[int, date]
    excluded: frozenset[tuple[str, str, int, UUID]]
    rows: Mapping[str, Row]
    announced: Mapping[str, int]
    counted: Mapping[int, int]
    scorecard: str


@dataclass(frozen=True, slots=True)
class Report:
    """`differences` names up to ten enterprises that differ; `different` counts them all."""

    events: int
    enterprises: int
    different: int
    differences: tuple[str, ...]
    seconds: float


async def take_cut(database: Database) -> Cut:
    """A REPEATABLE READ of everything the comparison needs, at a moment when no partition is between two dates."""
    connection = await connect(database, statement_timeout="600s")
    try:
        for _ in range(SETTLE_SECONDS * 10):
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                if not await connection.fetchval(MOVING):
                    return await _cut(connection)
            await asyncio.sleep(0.1)
        raise TimeoutError(f"a partition has been between two dates for {SETTLE_SECONDS} s")
    finally:
        await connection.close()


async def _cut(connection: asyncpg.Connection) -> Cut:
    positions = await connection.fetch("SELECT topic, partition, next_offset FROM position")
    dates = await connection.fetch("SELECT partition, assessed_on FROM assessment")
    profiles = await connection.fetch("SELECT uscc, score, risk_class, next_step_on, announced_class FROM profile")
    counters = await connection.fetch("SELECT risk_class, sum(enterprises)::bigint FROM counter GROUP BY 1")
    digest = await connection.fetchval("SELECT digest FROM active_scorecard ORDER BY activated_at DESC LIMIT 1")
    return Cut(
        positions={(row[0], row[1]): row[2] for row in positions},
        dates={row[0]: row[1] for row in dates},
        excluded=frozenset((row[0], row[1], row[2], row[3]) for row in await connection.fetch(EXCLUDED)),
        rows={row["uscc"]: Row(row["score"], row["risk_class"], row["next_step_on"]) for row in profiles},
        announced={row["uscc"]: row["announced_class"] for row in profiles},
        counted={row[0]: row[1] for row in counters if row[1]},
        scorecard=digest,
    )


async def rebuild(cut: Cut, settings: Settings) -> tuple[dict[str, Row], int]:
    """The profiles that the topics below the cut amount to, and how many events were read."""
    facts: dict[str, set[Fact]] = defaultdict(set)
    skipped = {(source, subject, sequence) for source, subject, sequence, id in cut.excluded if id == UUID(int=0)}
    events = 0
    seen: set[tuple[str, str, int]] = set()
    for name in service.hears:
        topic, source = settings.topic(f"{name}.events"), source_of(name)
        async for record in kafka.records(settings, topic):
            if record.offset >= cut.positions.get((topic, record.partition), 0):
                continue
            event = read(record, source)
            if not isinstance(event, Incoming):
                continue
            key = source, event.subject, event.sequence
            if key in seen:
                continue  # the same again, or a second history under one sequence: the first one counts
            seen.add(key)
            if key in skipped or (*key, event.id) in cut.excluded:
                continue
            events += 1
            facts[event.subject].update(facts_stated(event))
    scorecard = scorecards.current()
    rows = {}
    for subject, stated in facts.items():
        if is_registered(stated):
            judged = assess(stated, cut.dates[partition_of(subject)], scorecard)
            rows[subject] = Row(judged.score, int(judged.risk_class), judged.next_step_on)
    return rows, events


def compare(cut: Cut, rebuilt: Mapping[str, Row]) -> list[str]:
    """A sentence for each difference between the live rows at the cut and the rebuilt ones."""
    found = [
        f"{uscc}: live {cut.rows.get(uscc)}, rebuilt {rebuilt.get(uscc)}"
        for uscc in sorted(cut.rows.keys() | rebuilt.keys())
        if cut.rows.get(uscc) != rebuilt.get(uscc)
    ]
    found += [
        f"{uscc}: class {row.risk_class}, announced {cut.announced[uscc]}"
        for uscc, row in cut.rows.items()
        if cut.announced[uscc] != row.risk_class
    ]
    by_class: dict[int, int] = defaultdict(int)
    for row in cut.rows.values():
        by_class[row.risk_class] += 1
    if dict(by_class) != dict(cut.counted):
        found.append(f"counters say {dict(cut.counted)}, the rows {dict(by_class)}")
    return found


async def report(settings: Settings) -> Report:
    """Take a cut, rebuild beside the live table, compare. Raises ValueError when the scorecards differ."""
    began = time.monotonic()
    database = open_database(settings)
    cut = await take_cut(database)
    if cut.scorecard != scorecards.current().digest:
        raise ValueError("The live table is scored by another scorecard than this release has.")
    rebuilt, events = await rebuild(cut, settings)
    differences = compare(cut, rebuilt)
    return Report(events, len(rebuilt), len(differences), tuple(differences[:10]), round(time.monotonic() - began, 2))


if __name__ == "__main__":
    done = asyncio.run(report(service.load_settings()))
    Console().print_json(json.dumps(asdict(done), ensure_ascii=False))
    sys.exit(1 if done.different else 0)
