"""Scoring: take facts in and score the enterprises they touch; bring a partition to a new date."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox
from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.envelope import Incoming
from libs.common.kafka import partition_of
from services.risk import scorecards
from services.risk.domain import Fact, Scorecard
from services.risk.domain.relatives import Tie
from services.risk.published_events import LETTERS, ClassChanged
from services.risk.repository import facts as facts_repository
from services.risk.repository import profiles as repository
from services.risk.repository import shadow as shadow_repository
from services.risk.repository.facts import Known
from services.risk.repository.profiles import FORCE, SHADOW, Change
from services.risk.use_cases.judging import announcement, judge_and_announce, judge_beside
from services.risk.use_cases.relatives import adopt_signals, judge_relatives, signal_relatives

STEP = "scores_step"
RELATIVES = "relatives_judged"
STEP_ROWS = 5_000


async def take_facts(
    session: AsyncSession, facts: Sequence[Fact], ties: Sequence[Tie], causes: Mapping[str, outbox.Cause], clock: Clock
) -> None:
    """Add facts and ties, score the registered enterprises that they touch, at their partitions' assessment dates, and
    tell their relatives. `causes`: the newest event of each enterprise in this batch."""
    connection = await raw(session)
    cards = await cards_in_use(connection)
    subjects = sorted(causes)
    partitions = sorted({partition_of(subject) for subject in subjects})
    dates = await _dates(connection, partitions, clock.today(), cards)
    known = await facts_repository.add(connection, subjects, facts)
    await _score(session, connection, known.scored(), dates, causes, cards, clock)
    await repository.next_steps(connection, STEP, partitions, cards)
    await signal_relatives(session, connection, known, facts, ties, causes, clock)


async def step_scores(session: AsyncSession, partition: int, on: date, clock: Clock) -> None:
    """Bring a partition to the date `on`: score again just the enterprises whose next step has come.

    Many are done in several transactions; meanwhile the partition is moving and keeps its old date.
    """
    connection = await raw(session)
    cards = await cards_in_use(connection)
    [row] = await connection.fetch(repository.LOCK_PARTITIONS, [partition])
    on = max(on, row["assessed_on"])  # what was scored in bulk meanwhile may be of an earlier date
    subjects = await repository.stepping(connection, partition, on, STEP_ROWS, cards)
    cause = outbox.Cause(session.info["cause"].id, session.info["cause"].correlation_id, fresh=True)
    if subjects:
        known = await facts_repository.known(connection, subjects)
        causes = dict.fromkeys(subjects, cause)
        await _score(session, connection, known.scored(), {partition: on}, causes, cards, clock)
    if len(subjects) == STEP_ROWS:
        await connection.execute(repository.MOVE, partition, on)
        await due.add(session, STEP, str(partition), on)
        return
    await connection.execute(repository.ARRIVE, partition, on)
    await repository.next_steps(connection, STEP, [partition], cards)


async def judge_again(session: AsyncSession, usccs: Sequence[str], clock: Clock) -> None:
    """Say what relatives are to these enterprises by what is known now, whatever was said before."""
    connection = await raw(session)
    await connection.fetch(repository.LOCK_PARTITIONS, sorted({partition_of(uscc) for uscc in usccs}))
    known = await facts_repository.known(connection, usccs)
    cause = outbox.Cause(session.info["cause"].id, session.info["cause"].correlation_id, fresh=True)
    await judge_relatives(session, connection, known, dict.fromkeys(known.usccs, cause), clock)


async def adopt_announcements(connection: asyncpg.Connection, announced: Sequence[Incoming]) -> int:
    """After a restore: what our topic has announced since the copy (`announced`, each enterprise's in its order) is
    history again, the last of each enterprise counts as announced, and no partition goes back before a date on which it
    was assessed.

    Where the class is not the one that the restored facts give, the enterprise is scored at once and the difference
    announced. Returns how many these are.
    """
    each = [(event, announcement(event.data)) for event in announced]
    await repository.add_changes(connection, [_as_change(event, one) for event, one in each])
    said = {event.subject: one for event, one in each}
    dates: dict[int, date] = {}
    for subject, last in said.items():
        partition = partition_of(subject)
        dates[partition] = max(last.assessed_on, dates.get(partition, date.min))
    await connection.execute(repository.NOT_BEFORE, list(dates), list(dates.values()))
    classes = [LETTERS.index(last.risk_class) for last in said.values()]
    since = [last.assessed_on for last in said.values()]
    different = await connection.fetch(repository.ADOPT_ANNOUNCED, list(said), classes, since)
    await shadow_repository.begin_anew(connection)
    await repository.next_steps(connection, STEP, sorted(dates), [FORCE])
    return len(different)


def _as_change(event: Incoming, said: ClassChanged) -> Change:
    before = None if said.before is None else LETTERS.index(said.before)
    return Change(
        event.subject, datetime.fromisoformat(event.time), said.assessed_on, before, LETTERS.index(said.risk_class),
        said.score, said.reasons, said.scorecard,
    )  # fmt: skip


async def adopt_what_relatives_were_told(connection: asyncpg.Connection, usccs: Collection[str]) -> int:
    """After a restore: what our topic said last to these enterprises of others counts as said. Who was told something
    else than the restored database knows is judged again at once; returns how many these are."""
    different = await adopt_signals(connection, usccs)
    await connection.execute(repository.DUE_AT_ONCE, RELATIVES, different, [partition_of(uscc) for uscc in different])
    return len(different)


async def cards_in_use(connection: asyncpg.Connection) -> dict[str, Scorecard]:
    """The scorecard in force, and the one beside it once every enterprise has its shadow profile."""
    cards = {FORCE: await scorecards.in_force(connection)}
    for shadow in await scorecards.shadows(connection):
        if await connection.fetchval(shadow_repository.COMPLETE) == shadow.digest:
            cards[SHADOW] = shadow
    return cards


async def _dates(
    connection: asyncpg.Connection, partitions: Sequence[int], today: date, kept: Iterable[str]
) -> dict[int, date]:
    """The assessment dates of these partitions, locked. One that time alone would not change is brought to today."""
    await connection.execute(repository.ENTER_PARTITIONS, partitions, today)
    rows = await connection.fetch(repository.LOCK_PARTITIONS, partitions)
    dates = {row["partition"]: row["assessed_on"] for row in rows}
    if any(on < today for on in dates.values()):
        caught_up = await repository.catch_up(connection, partitions, today, kept)
        dates.update(dict.fromkeys(caught_up, today))
    return dates


async def _score(
    session: AsyncSession, connection: asyncpg.Connection, known: Known, dates: Mapping[int, date],
    causes: Mapping[str, outbox.Cause], cards: Mapping[str, Scorecard], clock: Clock,
) -> None:  # fmt: skip
    """Score these enterprises by every scorecard in use, and announce what the one in force changes."""
    if not known.usccs:
        return
    said = await judge_and_announce(session, connection, known, dates, causes, cards[FORCE], clock)
    if SHADOW in cards:
        await judge_beside(connection, known, dates, cards[SHADOW], said)
