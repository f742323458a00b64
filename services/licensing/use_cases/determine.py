"""What an enterprise needs is worked out when it is registered and when its activities or its capital change."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.licensing import repository, tables
from services.licensing.domain import Capital, Catalogue
from services.licensing.published_events import PermitRequirementsDetermined, Requirement
from services.licensing.use_cases import notifications
from services.licensing.use_cases.records import facts_of, recorded


async def enter_enterprise(
    session: AsyncSession, enterprise: tables.Enterprise, cause: UUID, catalogue: Catalogue, clock: Clock
) -> None:
    """A new enterprise: keep the copy, work out what it needs, notify a department of each item that is due."""
    await repository.enter(session, enterprise)
    await _determine(session, enterprise, cause, notifications.NEW, catalogue, clock, on=enterprise.registered_on)


async def change_enterprise(
    session: AsyncSession, uscc: str, activities: Sequence[str] | None, capital: Capital | None, cause: UUID,
    catalogue: Catalogue, clock: Clock, *, on: date,
) -> None:  # fmt: skip
    """Other activities or other capital, other needs: departments learn of what was not due before."""
    enterprise = await repository.enterprise_to_change(session, uscc)
    if enterprise is None or enterprise.deregistered_on is not None:
        return
    if activities is not None:
        enterprise.activities = list(activities)
    enterprise.capital = capital or enterprise.capital
    await _determine(session, enterprise, cause, notifications.CHANGE, catalogue, clock, on=on)


async def _determine(
    session: AsyncSession, enterprise: tables.Enterprise, cause: UUID, event_type: int, catalogue: Catalogue,
    clock: Clock, *, on: date,
) -> None:  # fmt: skip
    before = await repository.determination(session, enterprise.uscc, cause)
    if before is not None and before.cause == cause:
        return
    record = recorded(facts_of(enterprise), on, catalogue)
    session.add(
        tables.Determination(
            uscc=enterprise.uscc, number=(before.number if before else 0) + 1, cause=cause, record=record
        )
    )
    await session.flush()
    said = PermitRequirementsDetermined(
        determined_on=on,
        policy_digest=catalogue.digest,
        requirements=tuple(_said(row) for row in record["requirements"]),
    )
    outbox.add(session, said, subject=enterprise.uscc, clock=clock)
    known = due_items(before.record) if before else {}
    new = [row for item_id, row in due_items(record).items() if item_id not in known]
    await notifications.notify(session, enterprise.uscc, new, cause, event_type, catalogue, clock)


def due_items(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The items that are due, each by the first of its rows that is; a cancelled one never is."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in record["requirements"]:
        if row["due"] == "yes":
            found.setdefault(row["item_id"], row)
    return found


def _said(row: Mapping[str, Any]) -> Requirement:
    return Requirement(
        item_id=row["item_id"],
        part=row["part"],
        status=row["status"],
        mode=row["mode"],
        department=row["department"],
        due=row["due"],
    )
