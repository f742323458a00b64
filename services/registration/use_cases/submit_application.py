"""A form comes in and is judged by the law of the day."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, work
from libs.common.clock import Clock
from services.registration import domain, tables
from services.registration.domain import states
from services.registration.published_events import ApplicationSubmitted
from services.registration.use_cases import forms
from services.registration.use_cases.decide_application import end_application
from services.registration.use_cases.drafts import use_up
from services.registration.use_cases.records import Judged, recorded
from services.registration.use_cases.register_enterprise import register_enterprise
from services.registration.use_cases.review import REVIEW


async def submit_application(
    session: AsyncSession, command: domain.SubmitApplication, policy: domain.Policy, clock: Clock, *,
    id: UUID, filed_by: str, draft_id: UUID | None = None,
) -> Judged:  # fmt: skip
    """Judge the single form by the law of the day: register on the spot, send to review, or refuse with the grounds.

    A draft that it came from is gone with it. Raises FormReturned with every fault of the form at once.
    Source: Shanghai Business Environment Regulations (2020) Art 30; Foreign Investment Law Art 4, 28.
    """
    application = domain.checked(command.application, policy)
    await use_up(session, draft_id, filed_by)
    decision = domain.decide(application, policy, clock.today())
    row = tables.Application(
        id=id,
        submitted_at=clock.now(),
        status=states.after(None, states.JUDGED[decision.outcome]),
        enterprise_name=application.name.full,
        form=forms.kept(application),
        decision=recorded(decision),
        filed_by=filed_by,
    )
    session.add(row)
    session.add_all(forms.party_rows(command.parties, id))
    return await follow_judgement(session, row, application, policy, clock)


async def follow_judgement(
    session: AsyncSession, row: tables.Application, application: domain.Application, policy: domain.Policy, clock: Clock
) -> Judged:
    """What follows from a judgement: an enterprise, an item of work for an officer, or the end; and the word of it."""
    case = str(row.id)
    if row.status == "registered":
        row.uscc = await register_enterprise(session, application, row, clock)
    said = ApplicationSubmitted(
        filed_by=row.filed_by or "",
        submitted_on=clock.today(),
        round=row.round,
        status=row.status,  # type: ignore[arg-type]
        uscc=row.uscc,
    )
    outbox.add(session, said, subject=case, clock=clock, correlation_id=case)
    if row.status == "in_review":
        await session.flush()  # the row before what waits for it
        await work.open(session, REVIEW, case, days=policy.days("decision"), clock=clock, correlation_id=case)
    else:
        end_application(session, row, "screening", clock)
    return Judged(row.id, row.status, row.uscc, row.decision, row.version, row.round)
