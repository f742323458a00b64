"""A form comes in and is judged by the law of the day."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from services.registration import domain, tables
from services.registration.domain import signing, states
from services.registration.domain.screening import worst
from services.registration.use_cases import forms
from services.registration.use_cases.drafts import use_up
from services.registration.use_cases.false_registration import concerns_of
from services.registration.use_cases.follow_judgement import follow_judgement, looked_into
from services.registration.use_cases.names import grounds_kept, take_name
from services.registration.use_cases.records import Judged, recorded
from services.registration.use_cases.sign_application import ask_signatures


async def submit_application(
    session: AsyncSession, command: domain.SubmitApplication, policy: domain.Policy, clock: Clock, *,
    id: UUID, filed_by: str, draft_id: UUID | None = None,
) -> Judged:  # fmt: skip
    """Judge the single form by the law of the day: register on the spot, send to review, wait for those who have to
    sign it, or refuse with the grounds.

    A draft that it came from is gone with it, and a name that its applicant has reserved is used. Raises FormReturned
    with every fault of the form at once.
    Source: Shanghai Business Environment Regulations (2020) Art 30; Foreign Investment Law Art 4, 28.
    """
    application = domain.checked(command.application, policy)
    await use_up(session, draft_id, filed_by)
    decision = domain.decide(application, policy, clock.today())
    named = await take_name(session, application, command.parties, id, filed_by, policy, clock)
    concerns = await concerns_of(session, application, clock)
    outcome = looked_into(worst((decision.outcome, named.outcome)), concerns)
    missing = signing.waits(command.signers, filed_by, policy.signing_rules)
    row = tables.Application(
        id=id,
        submitted_at=clock.now(),
        status=states.after(None, states.arriving(outcome, signatures_missing=missing)),
        enterprise_name=application.name.full,
        form={**forms.kept(application), "name_grounds": grounds_kept(named)},
        decision=recorded(decision),
        filed_by=filed_by,
        concerns=forms.kept_concerns(concerns),
    )
    session.add(row)
    session.add_all(forms.party_rows(command.parties, id))
    await ask_signatures(session, row, command.signers, policy, clock)
    return await follow_judgement(session, row, application, policy, clock)
