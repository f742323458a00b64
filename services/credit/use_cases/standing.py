"""What stands against an enterprise changes what it is restricted in; that is told when it changes, and only then."""

import dataclasses

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.credit import repository
from services.credit.domain.policy import Policy
from services.credit.domain.restrictions import restrictions
from services.credit.published_events import RestrictionChanged
from services.credit.tables import Enterprise

RECHECK = "restrictions_rechecked"
"""The due kind by which the restrictions of an enterprise are worked out again after a restore."""


async def tell_restrictions(session: AsyncSession, enterprise: Enterprise, law: Policy, clock: Clock) -> None:
    """Say the restrictions of a locked enterprise where they are no longer those said before.

    A difference depends on more than its cause, so its id is fresh (docs/decisions/0008).
    """
    await session.flush()
    now = restrictions(await repository.standing_grounds(session, enterprise.uscc), law)
    if (list(now.measures), list(now.grounds)) == (enterprise.restrictions, enterprise.restriction_grounds):
        return
    enterprise.restrictions, enterprise.restriction_grounds = list(now.measures), list(now.grounds)
    cause: outbox.Cause = session.info["cause"]
    session.info["cause"] = dataclasses.replace(cause, fresh=True)
    said = RestrictionChanged(restrictions=now.measures, grounds=now.grounds, changed_on=clock.today())
    outbox.add(session, said, subject=enterprise.uscc, clock=clock)
    session.info["cause"] = cause


async def recheck_restrictions(session: AsyncSession, uscc: str, law: Policy, clock: Clock) -> None:
    """Work the restrictions of an enterprise out again."""
    await tell_restrictions(session, await repository.enterprise_to_change(session, uscc), law, clock)
