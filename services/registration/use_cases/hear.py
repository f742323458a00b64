"""What other services have found out, as far as the register shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.registration import repository
from services.registration.published_events import ScopeItemSuspended


@dataclass(frozen=True, slots=True)
class RevokedPermit:
    """A permit that was revoked, and the activities (classes of GB/T 4754) that needed it."""

    id: UUID
    item: str
    activities: tuple[str, ...]
    revoked_on: date


async def suspend_scope_items(session: AsyncSession, uscc: str, permit: RevokedPermit, clock: Clock) -> None:
    """The activities of a revoked permit may not be carried on; the register shows it. A permit is revoked once, so
    hearing of it again does nothing. The enterprise may not be here yet (after a restore)."""
    if await repository.suspend(session, uscc, permit.id, permit.item, permit.activities, permit.revoked_on):
        said = ScopeItemSuspended(
            activities=permit.activities, permit_item=permit.item, permit_id=permit.id, suspended_on=permit.revoked_on
        )
        outbox.add(session, said, subject=uscc, clock=clock)


async def keep_restrictions(
    session: AsyncSession, uscc: str, restrictions: Sequence[str], grounds: Sequence[str], *, changed_on: date
) -> None:
    """Keep what credit has announced last; officers see it beside the case."""
    await repository.keep_restrictions(session, uscc, restrictions, grounds, changed_on)
