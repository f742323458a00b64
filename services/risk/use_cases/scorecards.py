"""The acts on scorecards: drafted, scored beside the one in force, activated by two people, rolled back, withdrawn.

A draft is edited; from the shadow on a scorecard is what its digest says. One is in force and at most one stands in its
shadow. Activation exchanges the two, so that the one before stays scored and a rollback is another exchange.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.identity import Caller
from libs.common.web import Stale
from services.risk import scorecards
from services.risk.domain import Scorecard
from services.risk.repository import profiles
from services.risk.repository import scorecards as repository
from services.risk.repository import shadow as shadow_rows
from services.risk.repository.profiles import FORCE, SHADOW
from services.risk.repository.scorecards import Row
from services.risk.use_cases.overrides import SamePerson
from services.risk.use_cases.scoring import STEP

RELEASE = "release"
"""Who has drafted the scorecard that came with the first release."""


class ScorecardUnknown(Exception):
    """There is no scorecard of this digest."""


@dataclass
class ScorecardKnown(Exception):
    """A scorecard that decides the very same is there already."""

    digest: str
    state: str


@dataclass
class WrongState(Exception):
    """The act is not one for a scorecard in this state."""

    state: str


@dataclass
class ShadowTaken(Exception):
    """Another scorecard is being compared."""

    digest: str
    name: str


class NotScoredYet(Exception):
    """Not every enterprise has been scored by it yet."""


@dataclass
class NotValidYet(Exception):
    """It may be put in force on this day, or later."""

    valid_from: date


class ProposalWaits(Exception):
    """An activation waits for its signature already."""


class NothingProposed(Exception):
    """No activation of this scorecard waits for a decision."""


class NoWayBack(Exception):
    """The scorecard that was in force before is not scored beside the one in force."""


async def have_one_in_force(session: AsyncSession, shipped: Scorecard, clock: Clock) -> bool:
    """Put the release's scorecard in force where none ever was; True if so. After that only people change it."""
    connection = await raw(session)
    await scorecards.hold_for_change(connection)
    if await repository.in_state(connection, "active") is not None:
        return False
    row = {"id": uuid4(), "digest": shipped.digest}
    content = scorecards.to_document(shipped)
    await repository.add(connection, row, content, state="active", by=RELEASE, at=clock.now())
    await repository.say(connection, row, "activated", RELEASE, clock.now())
    await connection.execute(repository.PUT_IN_FORCE, shipped.name, shipped.digest)
    return True


async def draft_scorecard(session: AsyncSession, document: Mapping[str, Any], caller: Caller, clock: Clock) -> Row:
    """Keep a new scorecard as a draft. Raises ScorecardError with all its defects, ScorecardKnown."""
    connection = await _acting(session)
    scorecard = scorecards.from_document(document)
    row = {"id": uuid4(), "digest": scorecard.digest}
    await _refuse_known(connection, scorecard.digest)
    await repository.add(connection, row, document, state="draft", by=caller.subject, at=clock.now())
    await repository.say(connection, row, "drafted", caller.subject, clock.now())
    return await _now(connection, scorecard.digest)


async def edit_draft(
    session: AsyncSession, digest: str, document: Mapping[str, Any], version: int, caller: Caller, clock: Clock
) -> Row:
    """Replace a draft as a whole. Its digest, and so its address, becomes that of the new content."""
    connection = await _acting(session)
    row = await _to_change(connection, digest, version, "draft")
    scorecard = scorecards.from_document(document)
    if scorecard.digest != digest:
        await _refuse_known(connection, scorecard.digest)
    await repository.edit(connection, row["id"], scorecard.digest, document)
    after = await _now(connection, scorecard.digest)
    await repository.say(connection, after, "edited", caller.subject, clock.now())
    return after


async def begin_shadow(
    session: AsyncSession, digest: str, version: int, reason: str, caller: Caller, clock: Clock
) -> Row:
    """Score by it beside the one in force from now on; those who are scored already follow in the background.

    Raises ShadowTaken while another one is compared. One that was in force before gives way.
    """
    connection = await _acting(session)
    await scorecards.hold_for_change(connection)
    row = await _to_change(connection, digest, version, "draft", "withdrawn", "retired")
    if (other := await repository.in_state(connection, "shadow")) is not None:
        if not await connection.fetchval(repository.WAS_ACTIVE, other["digest"]):
            raise ShadowTaken(other["digest"], other["name"])
        await _leave(connection, other, caller, clock, f"{row['name']}: {reason}")
    await connection.execute(shadow_rows.FORGET)
    await connection.execute(repository.BEGIN_SHADOW, row["id"])
    await repository.say(connection, row, "shadow_begun", caller.subject, clock.now(), reason)
    return await _now(connection, digest)


async def withdraw_scorecard(
    session: AsyncSession, digest: str, version: int, reason: str, caller: Caller, clock: Clock
) -> Row:
    """Give a draft up, or end the comparison of a shadow. It is kept and may be put in the shadow again."""
    connection = await _acting(session)
    row = await _to_change(connection, digest, version, "draft", "shadow")
    await _leave(connection, row, caller, clock, reason)
    return await _now(connection, digest)


async def propose_activation(
    session: AsyncSession, digest: str, version: int, reason: str, caller: Caller, clock: Clock
) -> Row:
    """Propose to put the shadow in force; somebody else has to sign."""
    connection = await _acting(session)
    row = await _to_change(connection, digest, version, "shadow")
    await _propose(connection, row, reason, caller, clock, rollback=False)
    return await _now(connection, digest)


async def propose_rollback(session: AsyncSession, reason: str, caller: Caller, clock: Clock) -> Row:
    """Propose to put the scorecard of before in force again; somebody else has to sign. Raises NoWayBack."""
    connection = await _acting(session)
    active, shadow = await _active(connection), await repository.in_state(connection, "shadow")
    before = await connection.fetchval(repository.PREVIOUS, active["digest"])
    if shadow is None or shadow["digest"] != before:
        raise NoWayBack
    await _propose(connection, await _now(connection, before), reason, caller, clock, rollback=True)
    return await _now(connection, before)


async def sign_activation(session: AsyncSession, digest: str, version: int, caller: Caller, clock: Clock) -> Row:
    """The second signature, by another person: this scorecard is in force from now on, the one before in its shadow.

    Raises SamePerson, NothingProposed, NotValidYet, NotScoredYet.
    """
    connection = await _acting(session)
    await scorecards.hold_for_change(connection)
    row = await _to_change(connection, digest, version, "shadow")
    if row["scored_at"] is None:
        raise NotScoredYet
    valid_from = date.fromisoformat(row["valid_from"])
    if valid_from > clock.today():
        raise NotValidYet(valid_from)
    signed = await _decide(connection, row, "signed", caller, clock)
    before = await _active(connection)
    # One after the other: at no moment are two in force.
    await repository.move(connection, before["id"], "retired")
    await repository.move(connection, row["id"], "active")
    await repository.move(connection, before["id"], "shadow", scored_at=clock.now())
    act = "rolled_back_to" if signed["rollback"] else "activated"
    await repository.say(connection, row, act, caller.subject, clock.now(), signed["reason"])
    await repository.say(connection, before, "replaced", caller.subject, clock.now(), signed["reason"])
    await _exchange(connection, row, before)
    return await _now(connection, digest)


async def _exchange(connection: asyncpg.Connection, row: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """What is scored by the one and by the other changes places; every class that is another then is announced next,
    in bounded steps. Whoever reads waits for a moment; where a long reading stands in the way, this gives up first."""
    if await connection.fetchval(shadow_rows.COMPLETE) != row["digest"]:
        raise NotScoredYet
    await connection.execute("SET LOCAL lock_timeout = '3s'")
    await connection.execute(repository.PUT_IN_FORCE, row["name"], row["digest"])
    await shadow_rows.swap(connection, before["digest"])
    scored = await connection.fetchval(shadow_rows.COUNTED)
    await connection.execute(shadow_rows.PROGRESS, before["digest"], scored, scored)
    await profiles.next_steps(connection, STEP, sorted(await profiles.dates(connection)), [FORCE, SHADOW])


async def refuse_activation(
    session: AsyncSession, digest: str, version: int, reason: str, caller: Caller, clock: Clock
) -> Row:
    """Refuse a proposed activation, or take back one's own. The scorecard stays in the shadow."""
    connection = await _acting(session)
    row = await _to_change(connection, digest, version, "shadow")
    await _decide(connection, row, "refused", caller, clock)
    await repository.move(connection, row["id"], "shadow")
    await repository.say(connection, row, "refused", caller.subject, clock.now(), reason)
    return await _now(connection, digest)


async def _acting(session: AsyncSession) -> asyncpg.Connection:
    """Acts on scorecards are rare and take turns, so that each sees the whole of what was done before."""
    connection = await raw(session)
    await connection.execute(repository.ONE_AT_A_TIME)
    return connection


async def _to_change(connection: asyncpg.Connection, digest: str, version: int, *states: str) -> Row:
    row = await repository.one(connection, repository.ONE, digest)
    if row is None:
        raise ScorecardUnknown
    if row["version"] != version:
        raise Stale
    if row["state"] not in states:
        raise WrongState(row["state"])
    return row


async def _now(connection: asyncpg.Connection, digest: str) -> Row:
    row = await repository.one(connection, repository.ONE, digest)
    if row is None:
        raise ScorecardUnknown
    return row


async def _active(connection: asyncpg.Connection) -> Row:
    active = await repository.in_state(connection, "active")
    if active is None:
        raise scorecards.NoScorecard
    return active


async def _refuse_known(connection: asyncpg.Connection, digest: str) -> None:
    if (known := await repository.one(connection, repository.ONE, digest)) is not None:
        raise ScorecardKnown(digest, known["state"])


async def _leave(
    connection: asyncpg.Connection, row: Mapping[str, Any], caller: Caller, clock: Clock, reason: str
) -> None:
    """End a draft or a shadow, and with it the proposal to activate it."""
    if row["state"] == "shadow":
        await connection.execute(shadow_rows.FORGET)
    was_active = await connection.fetchval(repository.WAS_ACTIVE, row["digest"])
    await connection.execute(repository.OVERTAKE, row["id"], clock.now())
    state = "retired" if was_active else "withdrawn"
    await repository.move(connection, row["id"], state)
    await repository.say(connection, row, state, caller.subject, clock.now(), reason)


async def _propose(
    connection: asyncpg.Connection, row: Mapping[str, Any], reason: str, caller: Caller, clock: Clock, *, rollback: bool
) -> None:
    if row["scored_at"] is None:
        raise NotScoredYet
    active = await _active(connection)
    proposal = uuid4(), row["id"], row["digest"], active["digest"], rollback, reason, caller.subject, clock.now()
    if await connection.fetchval(repository.PROPOSE, *proposal) is None:
        raise ProposalWaits
    await repository.move(connection, row["id"], "shadow")
    act = "rollback_proposed" if rollback else "proposed"
    await repository.say(connection, row, act, caller.subject, clock.now(), reason)


async def _decide(
    connection: asyncpg.Connection, row: Mapping[str, Any], outcome: str, caller: Caller, clock: Clock
) -> Row:
    decided = await repository.one(connection, repository.DECIDE, row["id"], caller.subject, outcome, clock.now())
    if decided is None:
        waits = await connection.fetchval(repository.WAITING, row["id"])
        raise SamePerson if waits == caller.subject else NothingProposed
    return decided
