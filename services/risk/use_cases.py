"""The acts of risk: take facts in and score the enterprises they touch; bring a partition to a new date."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import msgspec
import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox
from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.kafka import partition_of
from services.risk import repository, vectorised
from services.risk.domain import Fact, Scorecard, is_registered
from services.risk.published_events import LETTERS, ClassChanged
from services.risk.repository import Profile

STEP = "scores_step"
STEP_ROWS = 5_000


async def take_facts(
    session: AsyncSession, facts: Sequence[Fact], causes: Mapping[str, outbox.Cause], scorecard: Scorecard, clock: Clock
) -> None:
    """Add facts and score the registered enterprises that they touch, at their partitions' assessment dates. `causes`:
    the newest event of each enterprise in this batch."""
    connection = await raw(session)
    subjects = sorted(causes)
    partitions = sorted({partition_of(subject) for subject in subjects})
    dates = await _dates(connection, partitions, clock.today())
    await repository.add_facts(connection, facts)
    await _score(session, connection, subjects, dates, causes, scorecard, clock)
    await connection.execute(repository.NEXT_STEPS, STEP, partitions)


async def step_scores(session: AsyncSession, partition: int, on: date, scorecard: Scorecard, clock: Clock) -> None:
    """Bring a partition to the date `on`: score again just the enterprises whose next step has come.

    Many are done in several transactions; meanwhile the partition is `moving` and keeps its old date.
    """
    connection = await raw(session)
    rows = await connection.fetch(repository.LOCK_PARTITIONS, [partition])
    subjects = [row["uscc"] for row in await connection.fetch(repository.STEPPING, partition, on, STEP_ROWS)]
    cause = outbox.Cause(session.info["cause"].id, session.info["cause"].correlation_id, fresh=True)
    causes = dict.fromkeys(subjects, cause)
    if subjects:
        await _score(session, connection, subjects, {partition: on}, causes, scorecard, clock)
    if len(subjects) == STEP_ROWS:
        await connection.execute("UPDATE assessment SET moving = true WHERE partition = $1", partition)
        await due.add(session, STEP, str(partition), on)
        return
    arrived = max(on, rows[0]["assessed_on"])
    await connection.execute(
        "UPDATE assessment SET moving = false, assessed_on = $2 WHERE partition = $1", partition, arrived
    )
    await connection.execute(repository.NEXT_STEPS, STEP, [partition])


async def activate_scorecard(session: AsyncSession, scorecard: Scorecard) -> bool:
    """Score everything by this scorecard, if it is not the one in force: every row's step has come. True if so."""
    connection = await raw(session)
    await connection.execute("SET LOCAL statement_timeout = '600s'; SET LOCAL lock_timeout = '60s'")
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('one-window-scorecard'))")
    known = await connection.fetchval("SELECT digest FROM active_scorecard ORDER BY activated_at DESC LIMIT 1")
    if known == scorecard.digest:
        return False
    await connection.execute(
        "INSERT INTO active_scorecard VALUES (clock_timestamp(), $1, $2)", scorecard.name, scorecard.digest
    )
    await connection.execute(
        "UPDATE profile p SET next_step_on = a.assessed_on FROM assessment a WHERE a.partition = p.partition"
    )
    partitions = [row["partition"] for row in await connection.fetch("SELECT DISTINCT partition FROM profile")]
    await connection.execute(repository.NEXT_STEPS, STEP, partitions)
    return True


async def adopt_announcements(connection: asyncpg.Connection, said: Mapping[str, ClassChanged]) -> int:
    """After a restore: what our topic said last of each enterprise (`said`) counts as announced, and no partition goes
    back before a date on which it was assessed.

    Where the class is not the one that the restored facts give, the enterprise is scored at once and the difference
    announced. Returns how many these are.
    """
    dates: dict[int, date] = {}
    for subject, last in said.items():
        partition = partition_of(subject)
        dates[partition] = max(last.assessed_on, dates.get(partition, date.min))
    await connection.execute(repository.NOT_BEFORE, list(dates), list(dates.values()))
    classes = [LETTERS.index(last.risk_class) for last in said.values()]
    different = await connection.fetch(repository.ADOPT_ANNOUNCED, list(said), classes)
    await connection.execute(repository.NEXT_STEPS, STEP, sorted(dates))
    return len(different)


async def _dates(connection: asyncpg.Connection, partitions: Sequence[int], today: date) -> dict[int, date]:
    """The assessment dates of these partitions, locked. One that time alone would not change is brought to today."""
    await connection.execute(repository.ENTER_PARTITIONS, partitions, today)
    await connection.execute(repository.LOCK_DUE, STEP, [str(partition) for partition in partitions])
    rows = await connection.fetch(repository.LOCK_PARTITIONS, partitions)
    dates = {row["partition"]: row["assessed_on"] for row in rows}
    if any(on < today for on in dates.values()):
        caught_up = await connection.fetch(repository.CATCH_UP, partitions, today)
        dates.update((row["partition"], today) for row in caught_up)
    return dates


async def _score(
    session: AsyncSession, connection: asyncpg.Connection, subjects: Sequence[str], dates: Mapping[int, date],
    causes: Mapping[str, outbox.Cause], scorecard: Scorecard, clock: Clock,
) -> None:  # fmt: skip
    known = await repository.facts_of(connection, subjects)
    registered = {fact.subject for fact in known if is_registered([fact])}
    subjects = [subject for subject in subjects if subject in registered]
    if not subjects:
        return
    known = [fact for fact in known if fact.subject in registered]
    numbers = {subject: number for number, subject in enumerate(subjects)}
    partitions = [partition_of(subject) for subject in subjects]
    on = np.array([vectorised.days(dates[partition]) for partition in partitions], np.int32)
    facts = vectorised.columns(known, scorecard, numbers)
    scores = vectorised.score(vectorised.live(facts), on, scorecard)
    before = await _standing(connection, subjects)
    moves: Counter[tuple[int, int]] = Counter()
    profiles = []
    for number, (subject, partition) in enumerate(zip(subjects, partitions, strict=True)):
        score, risk_class = int(scores.score[number]), int(scores.risk_class[number])
        was, announced = before[subject]
        moves[partition, risk_class] += 1
        if was is not None:
            moves[partition, was] -= 1
        if announced != risk_class:
            _announce(
                session, subject, causes[subject], clock,
                ClassChanged(
                    risk_class=LETTERS[risk_class],
                    before=None if announced is None else LETTERS[announced],
                    score=score,
                    reasons=vectorised.rule_names(scorecard, int(scores.reasons[number])),
                    assessed_on=dates[partition],
                    scorecard=scorecard.digest,
                ),
            )  # fmt: skip
        profiles.append(Profile(subject, partition, score, risk_class, risk_class, _step(scores.next_step_on[number])))
    await repository.write_profiles(connection, profiles)
    changed = [(partition, risk_class, count) for (partition, risk_class), count in sorted(moves.items()) if count]
    if changed:
        await connection.execute(repository.COUNT, *map(list, zip(*changed, strict=True)))


async def _standing(
    connection: asyncpg.Connection, subjects: Sequence[str]
) -> dict[str, tuple[int | None, int | None]]:
    """The class and the announced class of each enterprise, None where there is none.

    A new profile may have been announced all the same, before its database was restored to an older state: the
    outbox, reconciled with the topic, knows.
    """
    found: dict[str, tuple[int | None, int | None]] = {**await repository.standing(connection, subjects)}
    if new := [subject for subject in subjects if subject not in found]:
        said = await repository.last_said(connection, new, ClassChanged.type)
        classes = {subject: LETTERS.index(announcement(data).risk_class) for subject, data in said.items()}
        found.update((subject, (None, classes.get(subject))) for subject in new)
    return found


def announcement(data: bytes) -> ClassChanged:
    """An announcement of ours, as it was said."""
    return msgspec.json.decode(data, type=ClassChanged)


def _announce(session: AsyncSession, subject: str, cause: outbox.Cause, clock: Clock, event: ClassChanged) -> UUID:
    session.info["cause"] = cause
    return outbox.add(session, event, subject=subject, clock=clock)


def _step(day: np.int32) -> date | None:
    return None if day == vectorised.NO_STEP else date.fromordinal(int(day) + vectorised.EPOCH)
