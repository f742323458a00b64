"""What follows from a judgement: an enterprise, an item of work for an officer, or the end; and the word of it."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, work
from libs.common.clock import Clock
from services.registration import domain, tables
from services.registration.domain.false_registration import Concern
from services.registration.published_events import ApplicationSubmitted
from services.registration.use_cases.decide_application import end_application
from services.registration.use_cases.records import Judged
from services.registration.use_cases.register_enterprise import register_enterprise
from services.registration.use_cases.review import REVIEW


def looked_into(outcome: domain.Outcome, concerns: Sequence[Concern]) -> domain.Outcome:
    """What the law has no objection to goes to an officer all the same where somebody named may be barred."""
    return "review" if concerns and outcome == "accepted" else outcome


async def follow_judgement(
    session: AsyncSession, row: tables.Application, application: domain.Application, policy: domain.Policy,
    clock: Clock,
) -> Judged:  # fmt: skip
    """Register, ask an officer, or end it; then tell. What waits for signatures has not come in yet."""
    case = str(row.id)
    if row.status == "registered":
        row.uscc = await register_enterprise(session, application, row, clock)
    if row.status != "awaiting_signatures":
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
    elif row.status != "awaiting_signatures":
        await end_application(session, row, "screening", clock)
    return Judged(row.id, row.status, row.uscc, row.decision, row.version, row.round, row.form["name_grounds"])
