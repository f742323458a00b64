"""The acts on warnings: raised by what events state, acknowledged and closed by people.

A warning asks people to look; it changes no score and no class. Of one kind and object one at most is not closed, and
what a closed one was about counts no more towards the next.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from services.risk.policy import WarningKind, WarningRule
from services.risk.repository import warnings as repository
from services.risk.repository.warnings import Count, Reached

Rules = Mapping[WarningKind, WarningRule]


class NoSuchWarning(Exception):
    """There is none of this id."""


class WarningChanged(Exception):
    """It is no longer the version that the caller has read."""


class WarningSettled(Exception):
    """It is acknowledged already, or closed."""


class Registration(NamedTuple):
    """A new enterprise: at which address, and filed by whom, as opaque ids; None where nobody has said."""

    uscc: str
    on: date
    event_id: UUID
    address_id: str | None
    filed_by: str | None


class Finding(NamedTuple):
    """An inspection that has found a problem, and the departments that have made it."""

    uscc: str
    on: date
    event_id: UUID
    departments: tuple[str, ...]


class Worsening(NamedTuple):
    """A class that was announced in place of a lower one."""

    uscc: str
    score: int
    at: datetime
    scorecard_digest: str


async def note_registrations(
    session: AsyncSession, registrations: Sequence[Registration], rules: Rules, clock: Clock
) -> None:
    """Warn of many new enterprises at one address, and of many of one agent."""
    counts = [Count("address_cluster", r.address_id, r.event_id, r.uscc, r.on) for r in registrations if r.address_id]
    counts += [Count("agent_cluster", r.filed_by, r.event_id, r.uscc, r.on) for r in registrations if r.filed_by]
    await _count(session, counts, rules, clock)


async def note_findings(session: AsyncSession, findings: Sequence[Finding], rules: Rules, clock: Clock) -> None:
    """Warn of several findings of one department in one division of industry: the object is `department:division`."""
    if not findings:
        return
    rows = await (await raw(session)).fetch(repository.DIVISIONS, sorted({finding.uscc for finding in findings}))
    division = {row["uscc"]: row["division"] for row in rows}
    counts = [
        Count("sector_findings", f"{department}:{division[one.uscc]:02}", one.event_id, one.uscc, one.on)
        for one in findings
        if one.uscc in division
        for department in one.departments
    ]
    await _count(session, counts, rules, clock)


async def note_worsenings(session: AsyncSession, worsenings: Sequence[Worsening], rules: Rules, clock: Clock) -> None:
    """Warn of scores that have risen suddenly: since the lowest of the window, by the same scorecard."""
    if not worsenings:
        return
    connection, rule = await raw(session), rules["sudden_rise"]
    newest = {one.uscc: one for one in worsenings}.values()
    columns = map(list, zip(*newest, strict=True))
    rows = await connection.fetch(repository.RISEN, *columns, rule.window_days, rule.kind, rule.threshold)
    reached = [Reached(rule.kind, uscc, uscc, rise, rule.threshold, rule.window_days) for uscc, rise in rows]
    await repository.raise_all(connection, reached, clock.today(), clock.now())


async def _count(session: AsyncSession, counts: Sequence[Count], rules: Rules, clock: Clock) -> None:
    if not counts:
        return
    connection = await raw(session)
    await repository.count(connection, counts)
    by = [rules[kind] for kind in (count.kind for count in counts)]  # type: ignore[index]
    reached = await connection.fetch(
        repository.REACHED, [count.kind for count in counts], [count.object for count in counts],
        [rule.threshold for rule in by], [rule.window_days for rule in by], clock.today(),
    )  # fmt: skip
    await repository.raise_all(connection, reached, clock.today(), clock.now())


async def acknowledge_warning(
    session: AsyncSession, id: UUID, version: int, by: str, clock: Clock
) -> Mapping[str, Any]:
    """Somebody takes it up. Raises NoSuchWarning, WarningChanged, WarningSettled."""
    return await _act(session, id, version, ("open",), repository.ACKNOWLEDGE, by, clock.now())


async def close_warning(
    session: AsyncSession, id: UUID, version: int, by: str, outcome: str, note: str | None, clock: Clock
) -> Mapping[str, Any]:
    """It is dealt with, and how. Raises NoSuchWarning, WarningChanged, WarningSettled."""
    states = ("open", "acknowledged")
    return await _act(session, id, version, states, repository.CLOSE, by, clock.now(), outcome, note)


async def _act(
    session: AsyncSession, id: UUID, version: int, states: Sequence[str], statement: str, *values: Any
) -> Mapping[str, Any]:
    connection = await raw(session)
    row = await connection.fetchrow(repository.LOCKED, id)
    if row is None:
        raise NoSuchWarning
    if row["version"] != version:
        raise WarningChanged
    if row["state"] not in states:
        raise WarningSettled
    await connection.execute(statement, id, *values)
    row = await connection.fetchrow(repository.ONE, id)
    assert row is not None, "locked in this transaction"
    return dict(row)
