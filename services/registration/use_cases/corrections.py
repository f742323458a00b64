"""A form goes back to its applicant: asked for field by field, sent in again, or left until it lapses."""

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import signing, states
from services.registration.domain.corrections import Correction, checked_corrections
from services.registration.domain.screening import worst
from services.registration.published_events import CorrectionsRequested
from services.registration.repository import names as held
from services.registration.use_cases import forms
from services.registration.use_cases.decide_application import end_application
from services.registration.use_cases.drafts import use_up
from services.registration.use_cases.false_registration import concerns_of
from services.registration.use_cases.follow_judgement import follow_judgement, looked_into
from services.registration.use_cases.names import grounds_kept, take_name
from services.registration.use_cases.records import Judged, recorded
from services.registration.use_cases.review import REVIEW, NoSuchApplication, drop_proposal, under_review
from services.registration.use_cases.sign_application import SIGNATURES_OVERDUE, ask_signatures

CORRECTIONS_OVERDUE = "corrections_overdue"
"""The due kind of a form that nobody has corrected in time. It fires on the day after the last one in time."""

DAY = timedelta(days=1)


async def request_corrections(
    session: AsyncSession, id: UUID, corrections: Sequence[Correction], officer: Caller, version: int,
    policy: domain.Policy, clock: Clock,
) -> tables.Application:  # fmt: skip
    """Send the form back with what is to be corrected; the officer's words stay here, the event names fields alone.

    Raises FormReturned for a path that the form has not, NoSuchApplication, Stale, ActClosed, work.NotYours.
    """
    row = await under_review(session, id, "request_corrections", officer, version, clock)
    asked = checked_corrections(corrections, domain.recalled(row.decision["facts"]), policy)
    row.status = states.after(row.status, "request_corrections")  # type: ignore[arg-type]
    row.version += 1
    row.corrections = [dataclasses.asdict(correction) for correction in asked]
    row.correct_by = calendar.add_working_days(clock.today(), policy.days("corrections")).on
    await due.add(session, CORRECTIONS_OVERDUE, str(id), row.correct_by + DAY)
    await drop_proposal(session, row, clock)
    await work.close(session, REVIEW, str(id), "corrections_requested", clock)
    said = CorrectionsRequested(
        fields=tuple(correction.field for correction in asked), requested_on=clock.today(), due_on=row.correct_by
    )
    outbox.add(session, said, subject=str(id), clock=clock, correlation_id=str(id))
    return row


async def resubmit_application(
    session: AsyncSession, id: UUID, command: domain.SubmitApplication, owner: str, version: int,
    policy: domain.Policy, clock: Clock, *, draft_id: UUID | None = None,
) -> Judged:  # fmt: skip
    """Judge the corrected form anew, by the law of this day; signatures of the earlier one do not count for it. The
    earlier round is kept without the names it held.

    Raises FormReturned, NoSuchApplication, Stale, ActClosed.
    """
    row = await _of_owner(session, id, owner)
    if row.version != version:
        raise Stale
    _require_time_left(row, clock.today())
    application = domain.checked(command.application, policy)
    await use_up(session, draft_id, owner)
    decision = domain.decide(application, policy, clock.today())
    await held.give_back_name(session, id, clock.today())
    named = await take_name(session, application, command.parties, id, owner, policy, clock)
    concerns = await concerns_of(session, application, clock)
    outcome = looked_into(worst((decision.outcome, named.outcome)), concerns)
    missing = signing.waits(command.signers, owner, policy.signing_rules)
    act = states.arriving(outcome, signatures_missing=missing)
    status = states.after(row.status, act)  # type: ignore[arg-type]
    session.add(_earlier_round(row))
    await repository.forget_parties(session, id)
    row.submitted_at, row.status, row.enterprise_name = clock.now(), status, application.name.full
    row.form, row.decision = {**forms.kept(application), "name_grounds": grounds_kept(named)}, recorded(decision)
    row.concerns = forms.kept_concerns(concerns)
    row.round, row.version, row.corrections, row.correct_by = row.round + 1, row.version + 1, [], None
    session.add_all(forms.party_rows(command.parties, id))
    await due.remove(session, CORRECTIONS_OVERDUE, str(id))
    await ask_signatures(session, row, command.signers, policy, clock)
    return await follow_judgement(session, row, application, policy, clock)


async def withdraw_application(session: AsyncSession, id: UUID, owner: str, clock: Clock) -> tables.Application:
    """The applicant no longer wants it. Raises NoSuchApplication, ActClosed."""
    row = await _of_owner(session, id, owner)
    row.status = states.after(row.status, "withdraw")  # type: ignore[arg-type]
    row.version += 1
    for waited_for in (CORRECTIONS_OVERDUE, SIGNATURES_OVERDUE):
        await due.remove(session, waited_for, str(id))
    await work.close(session, REVIEW, str(id), "withdrawn", clock)
    await end_application(session, row, "applicant", clock)
    return row


async def lapse_application(session: AsyncSession, id: UUID, clock: Clock) -> None:
    """Nobody has corrected the form in time, or somebody has not signed it. Nothing happens where it was done."""
    row = await repository.application_to_change(session, id)
    if row is None or not states.is_open(row.status, "lapse"):  # type: ignore[arg-type]
        return
    last = row.sign_by if row.status == "awaiting_signatures" else row.correct_by
    if last is not None and clock.today() <= last:
        return
    row.status = states.after(row.status, "lapse")  # type: ignore[arg-type]
    row.version += 1
    await end_application(session, row, "time", clock)


def _require_time_left(row: tables.Application, today: date) -> None:
    """On the day after the last the application has lapsed, whether that was noted yet or not."""
    if row.correct_by is not None and today > row.correct_by:
        raise states.ActClosed("lapsed", "judge_review")


async def _of_owner(session: AsyncSession, id: UUID, owner: str) -> tables.Application:
    row = await repository.application_to_change(session, id, owner)
    if row is None:
        raise NoSuchApplication
    return row


def _earlier_round(row: tables.Application) -> tables.EarlierRound:
    return tables.EarlierRound(
        application_id=row.id,
        round=row.round,
        submitted_at=row.submitted_at,
        form=row.form,
        decision=row.decision,
        corrections=row.corrections,
    )
