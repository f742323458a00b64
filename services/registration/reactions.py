"""What registration does when others have spoken, and when a day has come."""

from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Incoming
from libs.common.reactions import Reactions
from services.registration import consumed_events, policy, use_cases

table = Reactions()

LEFT_THE_REGISTER = "enterprise_deregistered"
"""The reason of a revocation that follows from our own deregistration: there is nothing to suspend."""


@table.on(consumed_events.PermitRevoked)
async def when_a_permit_is_revoked(
    session: AsyncSession, incoming: Incoming, event: consumed_events.PermitRevoked, clock: Clock
) -> None:
    if event.reason != LEFT_THE_REGISTER:
        permit = use_cases.RevokedPermit(event.permit_id, event.item_id, event.activities, event.revoked_on)
        await use_cases.suspend_scope_items(session, incoming.subject, permit, clock)


@table.on(consumed_events.RestrictionChanged)
async def when_restrictions_change(
    session: AsyncSession, incoming: Incoming, event: consumed_events.RestrictionChanged, _clock: Clock
) -> None:
    await use_cases.keep_restrictions(
        session, incoming.subject, event.restrictions, event.grounds, changed_on=event.changed_on
    )


async def when_a_draft_ends(session: AsyncSession, subject: str, _on: date, _clock: Clock) -> None:
    await use_cases.end_draft(session, UUID(subject))


async def when_an_application_is_overdue(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await use_cases.lapse_application(session, UUID(subject), clock)


async def when_an_annual_report_is_overdue(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
    await use_cases.miss_annual_report(session, subject, on, policy.current(), clock)


async def when_a_report_order_ends(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await use_cases.end_report_order(session, UUID(subject), clock)


async def when_a_false_notice_has_run(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await use_cases.put_case_to_officer(session, subject, policy.current(), clock)


async def when_a_matter_is_overdue(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await use_cases.ask_after_matter(session, subject, policy.current(), clock)


async def when_a_notice_has_run(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await use_cases.complete_simplified_deregistration(session, UUID(subject), policy.current(), clock)


async def when_a_name_ends(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await use_cases.end_name(session, UUID(subject), clock)
