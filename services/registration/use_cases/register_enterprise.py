"""An enterprise is entered in the register."""

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.registration import domain, repository, tables
from services.registration.domain import reports, uscc
from services.registration.published_events import EnterpriseRegistered
from services.registration.repository import names as held
from services.registration.use_cases.history import begin_history
from services.registration.use_cases.reports import begin_reporting


async def register_enterprise(
    session: AsyncSession, application: domain.Application, row: tables.Application, clock: Clock
) -> str:
    """Enter the enterprise under a new Unified Social Credit Identifier and say so; returns the identifier."""
    identifier = uscc.uscc_for(await repository.next_serial(session))
    enterprise = tables.Enterprise(
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
    session.add(enterprise)
    await held.enter_name(session, row.id, identifier)
    await session.flush()  # the enterprise before what refers to it
    await begin_history(session, enterprise, row.id, clock)
    if reports.owes_reports(application.structure.capital):
        await begin_reporting(session, identifier, row.filed_by, row.id, clock)
    said = EnterpriseRegistered.of(application, row.id, clock.today(), row.filed_by or "")
    outbox.add(session, said, subject=identifier, clock=clock, correlation_id=str(row.id))
    return identifier
