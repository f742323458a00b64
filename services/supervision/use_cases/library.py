"""The object library (检查对象名录库), kept by events; the inspector library (执法检查人员名录库), kept by people."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.supervision import repository, tables


class InspectorKnown(Exception):
    """The account stands in the inspector library already."""


class InspectorUnknown(Exception):
    """The account does not stand in the inspector library."""


class InspectorChanged(Exception):
    """Somebody has changed the entry since it was read."""


async def enter_object(
    session: AsyncSession, uscc: str, filed_by: str | None, on: date, activities: Sequence[str], area: str
) -> None:
    await repository.execute(session, repository.ENTER_OBJECT, uscc, filed_by, on, list(activities), area)


async def change_object(session: AsyncSession, uscc: str, activities: Sequence[str] | None, area: str | None) -> None:
    stated = None if activities is None else list(activities)
    await repository.execute(session, repository.CHANGE_OBJECT, uscc, stated, area)


async def retire_object(session: AsyncSession, uscc: str, on: date) -> None:
    """It stays in the library with its last day: its inspections and corrections go on to their end."""
    await repository.execute(session, repository.RETIRE_OBJECT, uscc, on)


async def classify(session: AsyncSession, uscc: str, risk_class: str) -> None:
    await repository.execute(session, repository.CLASSIFY, uscc, risk_class)


async def enter_permit(
    session: AsyncSession, permit_id: UUID, uscc: str, item_id: str, department: str, on: date
) -> None:
    await repository.execute(session, repository.ENTER_PERMIT, permit_id, uscc, item_id, department, on)


async def retire_permit(session: AsyncSession, permit_id: UUID, on: date) -> None:
    """With the permit, the commitment that it was given on has nothing left to check."""
    await repository.execute(session, repository.RETIRE_PERMIT, permit_id, on)
    await repository.execute(session, repository.END_OBLIGATIONS, permit_id, on)


async def enter_obligation(
    session: AsyncSession, commitment_id: UUID, uscc: str, permit_id: UUID, item_id: str, department: str,
    given_on: date, check_by: date, *, correlation_id: str,
) -> None:  # fmt: skip
    """A commitment has to be checked by `check_by`. Source: 国办发〔2020〕42号."""
    await repository.execute(
        session, repository.ENTER_OBLIGATION, commitment_id, uscc, permit_id, item_id, department, given_on, check_by,
        correlation_id,
    )  # fmt: skip


async def enter_listing(session: AsyncSession, listing_id: UUID, uscc: str, list: str, on: date) -> None:
    await repository.execute(session, repository.ENTER_LISTING, listing_id, uscc, list, on)


async def end_listing(session: AsyncSession, listing_id: UUID, on: date) -> None:
    await repository.execute(session, repository.END_LISTING, listing_id, on)


async def enter_inspector(session: AsyncSession, entry: tables.Inspector) -> tables.Inspector:
    """Raises InspectorKnown."""
    if await repository.inspector_to_change(session, entry.account):
        raise InspectorKnown
    session.add(entry)
    return entry


async def change_inspector(
    session: AsyncSession, account: str, department: str, conflicts: list[str], available: bool, *, version: int
) -> tables.Inspector:
    """Raises InspectorUnknown, and InspectorChanged where `version` is not the newest."""
    row = await repository.inspector_to_change(session, account)
    if row is None:
        raise InspectorUnknown
    if row.version != version:
        raise InspectorChanged
    row.department, row.conflicts, row.available = department, conflicts, available
    row.version += 1
    return row
