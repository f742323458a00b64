"""An enterprise is entered in the register."""

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.registration import domain, repository, tables
from services.registration.domain import uscc
from services.registration.published_events import EnterpriseRegistered


async def register_enterprise(
    session: AsyncSession, application: domain.Application, row: tables.Application, clock: Clock
) -> str:
    """Enter the enterprise under a new Unified Social Credit Identifier and say so; returns the identifier."""
    identifier = uscc.uscc_for(await repository.next_serial(session))
    session.add(
        tables.Enterprise(
            uscc=identifier,
            application_id=row.id,
            registered_on=clock.today(),
            name=application.name.full,
            enterprise_type=application.enterprise_type,
            registered_capital=application.registered_capital,
            capital_currency=application.capital_currency,
            activities=list(application.activities),
            area=application.area,
            legal_representative_nationality=application.legal_representative_nationality,
            filed_by=row.filed_by,
            capital=application.structure.capital,
        )
    )
    said = EnterpriseRegistered.of(application, row.id, clock.today(), row.filed_by or "")
    outbox.add(session, said, subject=identifier, clock=clock, correlation_id=str(row.id))
    return identifier
