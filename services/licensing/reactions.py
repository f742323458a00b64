"""What licensing does when others have spoken, and when a day has come."""

from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Incoming
from libs.common.reactions import Reactions
from services.licensing import consumed_events, policy, tables, use_cases

table = Reactions()


@table.on(consumed_events.EnterpriseRegistered)
async def when_an_enterprise_is_registered(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseRegistered, clock: Clock
) -> None:
    answers = dict.fromkeys(event.permit_facts, True) | dict.fromkeys(event.permit_facts_denied, False)
    enterprise = tables.Enterprise(
        uscc=incoming.subject,
        filed_by=event.filed_by,
        registered_on=event.registered_on,
        activities=list(event.activities),
        answers=answers,
        capital=event.capital,
    )
    await use_cases.enter_enterprise(session, enterprise, incoming.id, policy.current(), clock)


@table.on(consumed_events.EnterpriseChanged)
async def when_an_enterprise_has_changed(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseChanged, clock: Clock
) -> None:
    if event.activities is not None or event.capital is not None:
        await use_cases.change_enterprise(
            session, incoming.subject, event.activities, event.capital, incoming.id, policy.current(), clock,
            on=event.changed_on,
        )  # fmt: skip


@table.on(consumed_events.EnterpriseDeregistered)
async def when_an_enterprise_has_left_the_register(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseDeregistered, clock: Clock
) -> None:
    await use_cases.leave_the_register(session, incoming.subject, event.deregistered_on, policy.current(), clock)


@table.on(consumed_events.RegistrationWithdrawn)
async def when_a_registration_is_withdrawn(
    session: AsyncSession, incoming: Incoming, event: consumed_events.RegistrationWithdrawn, clock: Clock
) -> None:
    await use_cases.leave_the_register(session, incoming.subject, event.withdrawn_on, policy.current(), clock)


@table.on(consumed_events.InspectionCompleted)
async def when_an_inspection_has_its_result(
    session: AsyncSession, incoming: Incoming, event: consumed_events.InspectionCompleted, clock: Clock
) -> None:
    if event.commitment_id is not None and event.problem:
        await use_cases.find_unkept(
            session, incoming.subject, event.commitment_id, event.inspection_id, event.completed_on, clock
        )


@table.on(consumed_events.CorrectionMet)
async def when_a_correction_is_met(
    session: AsyncSession, incoming: Incoming, event: consumed_events.CorrectionMet, _clock: Clock
) -> None:
    if event.commitment_id is not None:
        await use_cases.find_kept(session, incoming.subject, event.commitment_id)


@table.on(consumed_events.CorrectionOverdue)
async def when_a_correction_is_overdue(
    session: AsyncSession, incoming: Incoming, event: consumed_events.CorrectionOverdue, clock: Clock
) -> None:
    if event.commitment_id is not None:
        await use_cases.revoke_for_unkept_commitment(
            session, incoming.subject, event.commitment_id, event.overdue_on, policy.current(), clock
        )


@table.on(consumed_events.RestrictionChanged)
async def when_restrictions_change(
    session: AsyncSession, incoming: Incoming, event: consumed_events.RestrictionChanged, _clock: Clock
) -> None:
    await use_cases.keep_restrictions(
        session, incoming.subject, event.restrictions, event.grounds, event.changed_on, policy.current()
    )


async def when_work_is_overdue(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
    await use_cases.become_overdue(session, UUID(subject), on, clock)
