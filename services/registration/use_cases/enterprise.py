"""What every act on an enterprise begins with."""

from sqlmodel.ext.asyncio.session import AsyncSession

from services.registration import repository, tables
from services.registration.domain import standing


class EnterpriseUnknown(Exception):
    """No enterprise is registered under this identifier, or it is not the caller's."""


async def own_enterprise(session: AsyncSession, identifier: str, owner: str | None) -> tables.Enterprise:
    """The enterprise (with an owner, only theirs), locked and still on the register.

    Raises EnterpriseUnknown, Deregistered, Withdrawn.
    """
    enterprise = await repository.enterprise_to_change(session, identifier, owner)
    if enterprise is None:
        raise EnterpriseUnknown
    if enterprise.deregistered_on is not None:
        raise standing.Deregistered
    if enterprise.withdrawn_on is not None:
        raise standing.Withdrawn
    return enterprise
