"""What the district tells becomes records and proposals; the city's records and dates come in through the same acts."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid5

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Incoming, Outside
from libs.common.reactions import Reactions
from services.credit import policy, repository
from services.credit.consumed_events import (
    CommitmentUnkept,
    EnterpriseRegistered,
    EnterpriseTakenOver,
    InformationReportOverdue,
    InspectionCompleted,
    PermitRevoked,
    ResultPublished,
)
from services.credit.use_cases import intake, lists, records, standing
from services.credit.use_cases.records import Entry

table = Reactions()


@table.on(EnterpriseRegistered)
async def when_an_enterprise_is_registered(
    session: AsyncSession, incoming: Incoming, event: EnterpriseRegistered, _clock: Clock
) -> None:
    await repository.enter_registration(session, incoming.subject, event.registered_on, event.filed_by)


@table.on(EnterpriseTakenOver)
async def when_an_enterprise_is_taken_over(
    session: AsyncSession, incoming: Incoming, event: EnterpriseTakenOver, _clock: Clock
) -> None:
    await repository.enter_registration(session, incoming.subject, event.registered_on, None)


@table.on(CommitmentUnkept)
async def when_a_commitment_is_not_kept(
    session: AsyncSession, incoming: Incoming, event: CommitmentUnkept, clock: Clock
) -> None:
    content = {"permit_id": str(event.permit_id), "event_id": str(incoming.id)}
    entry = Entry("commitment_breach", "CB1", "licensing", str(event.commitment_id), event.found_on, content)
    await records.enter_own_record(session, incoming.subject, entry, policy.current(), clock)


@table.on(PermitRevoked)
async def when_a_permit_is_revoked(
    session: AsyncSession, incoming: Incoming, event: PermitRevoked, clock: Clock
) -> None:
    """A revoked permit is a heavier penalty (SE-GEN): an officer decides about the serious list. A false commitment is
    a record by itself (CB2)."""
    if event.reason not in ("commitment_unkept", "commitment_false"):
        return
    law, uscc = policy.current(), incoming.subject
    if event.reason == "commitment_false":
        content = {"permit_id": str(event.permit_id), "event_id": str(incoming.id)}
        entry = Entry("commitment_breach", "CB2", "licensing", str(event.permit_id), event.revoked_on, content)
        await records.enter_own_record(session, uscc, entry, law, clock)
    basis = await repository.record_of_permit(session, uscc, event.permit_id)
    await lists.propose_listing(
        session, uscc, "serious_illegal_dishonest", "SE-GEN", event.permit_id, law, clock,
        id=uuid5(incoming.id, "proposal"), basis=basis,
    )  # fmt: skip


@table.on(InformationReportOverdue)
async def when_an_information_report_is_missing(
    session: AsyncSession, incoming: Incoming, event: InformationReportOverdue, clock: Clock
) -> None:
    """No annual report by 30 June may put it on the abnormal list (AB1), and so may an order that was not met (AB2)."""
    ground = "AB2" if event.missed == "order" else "AB1"
    await lists.propose_listing(
        session, incoming.subject, "abnormal_operation", ground, event.order_id, policy.current(), clock,
        id=uuid5(incoming.id, "proposal"),
    )  # fmt: skip


@table.on(InspectionCompleted)
async def when_an_inspection_is_completed(
    session: AsyncSession, incoming: Incoming, event: InspectionCompleted, clock: Clock
) -> None:
    """Who cannot be reached at the registered address may go on the abnormal list (AB4)."""
    if event.unreachable:
        await lists.propose_listing(
            session, incoming.subject, "abnormal_operation", "AB4", event.inspection_id, policy.current(), clock,
            id=uuid5(incoming.id, "proposal"),
        )  # fmt: skip


@table.on(ResultPublished)
async def when_a_result_is_published(
    session: AsyncSession, incoming: Incoming, event: ResultPublished, clock: Clock
) -> None:
    """Only a result with a problem is a record."""
    law = policy.current()
    if bad := [one for one in event.codes if (one.code_set, one.code) in law.bad_results]:
        content = {"codes": [f"{one.code_set}:{one.code}" for one in bad], "event_id": str(incoming.id)}
        entry = Entry("spot_check_result", None, "supervision", str(event.inspection_id), event.published_on, content)
        await records.enter_own_record(session, incoming.subject, entry, law, clock)


async def take_city_records(session: AsyncSession, given: Sequence[Outside], clock: Clock) -> None:
    await intake.take_records(session, given, policy.current(), clock)


async def reject_city_record(session: AsyncSession, given: Outside, clock: Clock) -> None:
    await intake.reject_unreadable(session, given, policy.current(), clock)


async def when_a_listing_ends(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await lists.end_term(session, UUID(subject), policy.current(), clock)


async def when_a_publication_ends(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await records.end_publication(session, UUID(subject), clock)


async def when_restrictions_are_rechecked(session: AsyncSession, subject: str, _on: date, clock: Clock) -> None:
    await standing.recheck_restrictions(session, subject, policy.current(), clock)
