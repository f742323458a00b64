"""python -m services.risk.rebuild: are the live profiles what the topics say? Exit 0 when they are equal.

Reads one cut of the database, applies every event below its positions (except those parked, dropped or skipped: what
was parked is never judged again) to an empty state, scores with the reference scorer, and compares row by row.
"""

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import asyncpg
from rich.console import Console

from libs.common import evidence, kafka, signature
from libs.common.database import Database, connect, open_database
from libs.common.envelope import Incoming, read, source_of
from libs.common.kafka import partition_of
from libs.common.settings import Settings
from services.risk import scorecards
from services.risk.domain import Fact, Scorecard, assess, is_registered
from services.risk.domain.relatives import Key, Signals, Tie, Worth, signals
from services.risk.policy.relatives import bearings, thresholds
from services.risk.reactions import facts_stated, ties_stated
from services.risk.repository.profiles import FORCE, SHADOW, Counted, Traits
from services.risk.repository.shadow import COMPLETE
from services.risk.service import service
from services.risk.use_cases import STEP, dimensions

SETTLE_SECONDS = 60
MOVING = f"""
SELECT EXISTS (SELECT 1 FROM assessment WHERE moving_to IS NOT NULL)
    OR EXISTS (SELECT 1 FROM profile p JOIN assessment a USING (partition) WHERE p.next_step_on <= a.assessed_on)
    OR EXISTS (SELECT 1 FROM due JOIN assessment ON subject = partition::text
               WHERE kind = '{STEP}' AND on_date <= assessed_on)
"""
DECIDED = """
SELECT state AS disposition, source, subject, sequence, id::text AS event_id, coalesce(disposed_by, '') AS by,
    coalesce(disposed_why, '') AS why
FROM parked WHERE state IN ('dropped', 'skipped') ORDER BY source, subject, sequence LIMIT 200
"""
LAST_CHANGES = "SELECT DISTINCT ON (uscc) uscc, after FROM class_change ORDER BY uscc, position DESC"
TOLD = "SELECT uscc, indicator, record, value, since FROM related_signal"
PROFILES = """
SELECT uscc, partition, score, risk_class, next_step_on, announced_class, division, area, foreign_invested
FROM {shadow}profile
"""
COUNTERS = "SELECT partition, dimension, key, risk_class, enterprises FROM {shadow}counter WHERE enterprises <> 0"
EXCLUDED = "SELECT source, subject, sequence, id FROM parked"


@dataclass(frozen=True, slots=True)
class Row:
    """A profile as far as the topics decide it."""

    score: int
    risk_class: int
    next_step_on: date | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept by one scorecard: profiles, the classes that they say were announced, and counters."""

    scorecard: Scorecard
    rows: Mapping[str, Row]
    announced: Mapping[str, int]
    counted: Mapping[Counted, int]
    expected_counts: Mapping[Counted, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """One consistent read of the database. `beside`: by the scorecard in the shadow, once all are scored by it."""

    positions: Mapping[tuple[str, int], int]
    dates: Mapping[int, date]
    excluded: frozenset[tuple[str, str, int, UUID]]
    changed: Mapping[str, int]
    told: Signals
    in_force: Kept
    beside: Kept | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the topics amount to: the profiles by the scorecard in force and by the one beside it, and what is said to
    relatives, by so many events."""

    rows: Mapping[str, Row]
    beside: Mapping[str, Row]
    told: Signals
    events: int


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
    changes = await connection.fetch(LAST_CHANGES)
    in_force = await scorecards.read_in_force(connection)
    shadow = await connection.fetchval(COMPLETE)
    return Cut(
        positions={(row[0], row[1]): row[2] for row in positions},
        dates={row[0]: row[1] for row in dates},
        excluded=frozenset((row[0], row[1], row[2], row[3]) for row in await connection.fetch(EXCLUDED)),
        changed={row["uscc"]: row["after"] for row in changes},
        told={Key(*row[:3]): Worth(*row[3:]) for row in await connection.fetch(TOLD)},
        in_force=await _kept(connection, in_force, FORCE),
        beside=await _kept(connection, await scorecards.of_digest(connection, shadow), SHADOW) if shadow else None,
    )


async def _kept(connection: asyncpg.Connection, scorecard: Scorecard, shadow: str) -> Kept:
    rows = await connection.fetch(PROFILES.format(shadow=shadow))
    counters = await connection.fetch(COUNTERS.format(shadow=shadow))
    return Kept(
        scorecard=scorecard,
        rows={row["uscc"]: Row(row["score"], row["risk_class"], row["next_step_on"]) for row in rows},
        announced={row["uscc"]: row["announced_class"] for row in rows},
        counted={tuple(row)[:4]: row[4] for row in counters},
        expected_counts=Counter(
            (row["partition"], *key, row["risk_class"])
            for row in rows
            for key in dimensions(Traits(row["division"], row["area"], row["foreign_invested"]))
        ),
    )


async def rebuild(cut: Cut, settings: Settings) -> Rebuilt:
    """What the topics below the cut amount to."""
    facts: dict[str, set[Fact]] = defaultdict(set)
    ties: set[Tie] = set()
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
            ties.update(ties_stated(event))
    return Rebuilt(
        rows=_scored(facts, cut, cut.in_force.scorecard),
        beside=_scored(facts, cut, cut.beside.scorecard) if cut.beside is not None else {},
        told=signals(ties, facts, bearings(), thresholds()),
        events=events,
    )


def _scored(facts: Mapping[str, set[Fact]], cut: Cut, scorecard: Scorecard) -> dict[str, Row]:
    rows = {}
    for subject, stated in facts.items():
        if is_registered(stated):
            judged = assess(stated, cut.dates[partition_of(subject)], scorecard)
            rows[subject] = Row(judged.score, int(judged.risk_class), judged.next_step_on)
    return rows


def compare(cut: Cut, rebuilt: Rebuilt) -> list[str]:
    """A sentence for each difference between the live rows at the cut and the rebuilt ones."""
    found = [*_differences(cut.in_force, rebuilt.rows)]
    found += [
        f"{key.uscc}: told of {key.indicator} {cut.told.get(key)}, its relatives amount to {rebuilt.told.get(key)}"
        for key in sorted(cut.told.keys() | rebuilt.told.keys())
        if cut.told.get(key) != rebuilt.told.get(key)
    ]
    found += [
        f"{uscc}: class {row.risk_class}, announced {cut.in_force.announced[uscc]}"
        for uscc, row in cut.in_force.rows.items()
        if cut.in_force.announced[uscc] != row.risk_class
    ]
    found += [
        f"{uscc}: announced {cut.in_force.announced[uscc]}, the last class change says {cut.changed.get(uscc)}"
        for uscc in cut.in_force.rows
        if cut.in_force.announced[uscc] != cut.changed.get(uscc)
    ]
    if cut.beside is not None:
        found += [f"in the shadow: {difference}" for difference in _differences(cut.beside, rebuilt.beside)]
        if cut.beside.announced != cut.in_force.announced:
            found.append("in the shadow: other classes are noted as announced")
    return found


def _differences(kept: Kept, rebuilt: Mapping[str, Row]) -> Iterator[str]:
    for uscc in sorted(kept.rows.keys() | rebuilt.keys()):
        if kept.rows.get(uscc) != rebuilt.get(uscc):
            yield f"{uscc}: live {kept.rows.get(uscc)}, rebuilt {rebuilt.get(uscc)}"
    for key in sorted(kept.counted.keys() | kept.expected_counts.keys()):
        if kept.counted.get(key, 0) != kept.expected_counts.get(key, 0):
            yield f"counter {key}: {kept.counted.get(key, 0)}, there are {kept.expected_counts.get(key, 0)}"


async def report(settings: Settings) -> Report:
    """Take a cut, rebuild beside the live tables by the scorecards in use, compare, and keep a signed report of it."""
    began, began_at = time.monotonic(), datetime.now(UTC)
    database = open_database(settings)
    cut = await take_cut(database)
    rebuilt = await rebuild(cut, settings)
    differences = compare(cut, rebuilt)
    connection = await connect(database)
    try:
        await _keep_report(connection, settings, began_at, cut, rebuilt, differences)
    finally:
        await connection.close()
    return Report(
        rebuilt.events, len(rebuilt.rows), len(differences), tuple(differences[:10]), round(time.monotonic() - began, 2)
    )


async def _keep_report(
    connection: asyncpg.Connection, settings: Settings, began_at: datetime, cut: Cut, rebuilt: Rebuilt,
    differences: list[str],
) -> None:  # fmt: skip
    decided = [evidence.Disposed(**dict(row)) for row in await connection.fetch(DECIDED)]
    said = evidence.report(
        "rebuild", settings, by=evidence.operator(), began_at=began_at, differences=differences, dispositions=decided,
        outcome="different" if differences else "equal", policy=cut.in_force.scorecard.digest,
        summary=f"{rebuilt.events} events, {len(rebuilt.rows)} enterprises",
        cut=evidence.Cut(
            positions=evidence.positions(cut.positions), dates={str(n): on for n, on in sorted(cut.dates.items())}
        ),
        compared={
            name: evidence.digest((uscc, asdict(row)) for uscc, row in sorted(rows.items()))
            for name, rows in (("live", cut.in_force.rows), ("rebuilt", rebuilt.rows))
        },
    )  # fmt: skip
    await evidence.write(connection, said, signature.keys(settings))


if __name__ == "__main__":
    done = asyncio.run(report(service.load_settings()))
    Console().print_json(json.dumps(asdict(done), ensure_ascii=False))
    sys.exit(1 if done.different else 0)
