"""Events and dates come in through the same use cases as people do."""

from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Incoming
from libs.common.reactions import Reactions
from services.supervision import consumed_events, use_cases

table = Reactions()


@table.on(consumed_events.EnterpriseRegistered)
async def when_an_enterprise_is_registered(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseRegistered, _: Clock
) -> None:
    await use_cases.enter_object(
        session, incoming.subject, event.filed_by, event.registered_on, event.activities, event.area
    )


@table.on(consumed_events.EnterpriseTakenOver)
async def when_an_enterprise_is_taken_over(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseTakenOver, _: Clock
) -> None:
    await use_cases.enter_object(session, incoming.subject, None, event.registered_on, event.activities, event.area)


@table.on(consumed_events.EnterpriseChanged)
async def when_an_enterprise_is_changed(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseChanged, _: Clock
) -> None:
    await use_cases.change_object(session, incoming.subject, event.activities, event.area)


@table.on(consumed_events.EnterpriseDeregistered)
async def when_an_enterprise_is_deregistered(
    session: AsyncSession, incoming: Incoming, event: consumed_events.EnterpriseDeregistered, _: Clock
) -> None:
    await use_cases.retire_object(session, incoming.subject, event.deregistered_on)


@table.on(consumed_events.RegistrationWithdrawn)
async def when_a_registration_is_withdrawn(
    session: AsyncSession, incoming: Incoming, event: consumed_events.RegistrationWithdrawn, _: Clock
) -> None:
    await use_cases.retire_object(session, incoming.subject, event.withdrawn_on)


@table.on(consumed_events.PermitGranted)
async def when_a_permit_is_granted(
    session: AsyncSession, incoming: Incoming, event: consumed_events.PermitGranted, _: Clock
) -> None:
    await use_cases.enter_permit(
        session, event.permit_id, incoming.subject, event.item_id, event.department, event.granted_on
    )


@table.on(consumed_events.PermitRevoked)
async def when_a_permit_is_revoked(
    session: AsyncSession, _: Incoming, event: consumed_events.PermitRevoked, __: Clock
) -> None:
    await use_cases.retire_permit(session, event.permit_id, event.revoked_on)


@table.on(consumed_events.CommitmentGiven)
async def when_a_commitment_is_given(
    session: AsyncSession, incoming: Incoming, event: consumed_events.CommitmentGiven, _: Clock
) -> None:
    await use_cases.enter_obligation(
        session, event.commitment_id, incoming.subject, event.permit_id, event.item_id, event.department,
        event.given_on, event.check_by, correlation_id=incoming.correlation_id,
    )  # fmt: skip


@table.on(consumed_events.SubjectListed)
async def when_a_subject_is_listed(
    session: AsyncSession, incoming: Incoming, event: consumed_events.SubjectListed, _: Clock
) -> None:
    await use_cases.enter_listing(session, event.listing_id, incoming.subject, event.list, event.listed_on)


@table.on(consumed_events.SubjectDelisted)
async def when_a_subject_is_delisted(
    session: AsyncSession, _: Incoming, event: consumed_events.SubjectDelisted, __: Clock
) -> None:
    await use_cases.end_listing(session, event.listing_id, event.delisted_on)


@table.on(consumed_events.ClassChanged)
async def when_a_class_changes(
    session: AsyncSession, incoming: Incoming, event: consumed_events.ClassChanged, _: Clock
) -> None:
    await use_cases.classify(session, incoming.subject, event.risk_class)


async def when_publication_is_due(session: AsyncSession, inspection: str, _on: date, clock: Clock) -> None:
    await use_cases.publish_when_due(session, UUID(inspection), clock)


async def when_a_correction_falls_overdue(session: AsyncSession, correction: str, _on: date, clock: Clock) -> None:
    await use_cases.find_overdue(session, UUID(correction), clock)
