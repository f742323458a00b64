"""What supervision, credit and registration have found out, as far as permits and commitments follow from it."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, work
from libs.common.clock import Clock
from services.licensing import repository, tables
from services.licensing.domain import Catalogue
from services.licensing.domain.commitment import COMMITMENT_MODE, UNREPAIRED
from services.licensing.published_events import CommitmentUnkept, PermitRevoked
from services.licensing.use_cases import notifications, permits

Reason = Literal["commitment_unkept", "enterprise_deregistered"]


async def find_unkept(
    session: AsyncSession, uscc: str, commitment_id: UUID, inspection_id: UUID, found_on: date, clock: Clock
) -> None:
    """A check has found the commitment unkept. Correction is ordered by supervision; the permit stands until then."""
    row = await repository.commitment_to_change(session, uscc, commitment_id)
    if row is None or row.state not in ("given", "kept"):
        return
    row.state, row.inspection_id, row.unkept_on = "unkept", inspection_id, found_on
    said = CommitmentUnkept(
        commitment_id=row.id, permit_id=row.permit_id, item_id=row.item_id, inspection_id=inspection_id,
        found_on=found_on,
    )  # fmt: skip
    outbox.add(session, said, subject=uscc, clock=clock)


async def find_kept(session: AsyncSession, uscc: str, commitment_id: UUID) -> None:
    """What was found is corrected in time. A permit that was revoked before stays revoked."""
    row = await repository.commitment_to_change(session, uscc, commitment_id)
    if row is not None and row.state == "unkept":
        row.state = "kept"


async def revoke_for_unkept_commitment(
    session: AsyncSession, uscc: str, commitment_id: UUID, on: date, catalogue: Catalogue, clock: Clock
) -> None:
    """It was not corrected in time: the permit is revoked. Source: 国办发〔2020〕42号."""
    enterprise = await repository.enterprise_to_change(session, uscc)
    row = await repository.commitment_to_change(session, uscc, commitment_id)
    if enterprise is None or row is None or row.state != "unkept":
        return
    row.state = "revoked"
    permit = await session.get_one(tables.Permit, row.permit_id)
    if permit.revoked_on is None:
        _revoke(session, permit, enterprise, "commitment_unkept", on, catalogue, clock)


async def leave_the_register(session: AsyncSession, uscc: str, on: date, catalogue: Catalogue, clock: Clock) -> None:
    """No enterprise, no permits; nothing waits for it any more."""
    enterprise = await repository.enterprise_to_change(session, uscc)
    if enterprise is None or enterprise.deregistered_on is not None:
        return
    enterprise.deregistered_on = on
    await notifications.drop_waiting(session, uscc, clock)
    for application in await repository.open_applications(session, uscc):
        application.status = "lapsed"
        application.decided = {"outcome": "lapsed", "by": None, "reason": None, "on": on.isoformat()}
        application.version += 1
        await work.close(session, permits.QUEUE, str(application.id), "lapsed", clock)
    for commitment in await repository.commitments(session, uscc, ("given", "kept", "unkept")):
        commitment.state = "ended"
    for permit in await repository.permits_in_force(session, uscc):
        _revoke(session, permit, enterprise, "enterprise_deregistered", on, catalogue, clock)


async def keep_restrictions(
    session: AsyncSession, uscc: str, restrictions: Sequence[str], grounds: Sequence[str], changed_on: date,
    catalogue: Catalogue,
) -> None:  # fmt: skip
    """Keep what credit has announced last. Repair is credit's: an unkept commitment counts as repaired once credit has
    restricted the mode for the breach, and does so no more."""
    await session.merge(
        tables.Restriction(uscc=uscc, restrictions=list(restrictions), grounds=list(grounds), changed_on=changed_on)
    )
    for_breach = set(grounds) & set(catalogue.bars["commitment_unrepaired"].credit_grounds)
    shut = COMMITMENT_MODE in restrictions and bool(for_breach)
    for row in await repository.commitments(session, uscc, UNREPAIRED):
        if shut:
            row.told_to_credit = True
        elif row.told_to_credit:
            row.repaired_on = changed_on


def _revoke(
    session: AsyncSession, permit: tables.Permit, enterprise: tables.Enterprise, reason: Reason, on: date,
    catalogue: Catalogue, clock: Clock,
) -> None:  # fmt: skip
    permit.revoked_on, permit.revoked_for = on, reason
    said = PermitRevoked(
        permit_id=permit.id,
        item_id=permit.item_id,
        department=permit.department,
        activities=catalogue.covered(permit.item_id, tuple(enterprise.activities), permit.granted_on),
        reason=reason,
        revoked_on=on,
    )
    outbox.add(session, said, subject=enterprise.uscc, clock=clock)
