"""Everybody who has to signs the form; with the last signature it is judged by the law of that day."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, outbox
from libs.common.clock import Clock
from services.registration import domain, tables
from services.registration.domain import signing, states
from services.registration.domain.screening import worst
from services.registration.domain.signing import Signer
from services.registration.published_events import SignaturesRequested
from services.registration.repository import signatures as kept
from services.registration.use_cases import forms
from services.registration.use_cases.false_registration import concerns_of
from services.registration.use_cases.follow_judgement import follow_judgement, looked_into
from services.registration.use_cases.records import recorded
from services.registration.use_cases.review import NoSuchApplication

SIGNATURES_OVERDUE = "signatures_overdue"
"""The due kind of a form that somebody has not signed in time. It fires on the day after the last one in time."""

DAY = timedelta(days=1)


async def ask_signatures(
    session: AsyncSession, row: tables.Application, signers: Sequence[Signer], policy: domain.Policy, clock: Clock
) -> None:
    """Enter who signs this round, and what the filing itself has given; the rest has until `sign_by`."""
    filed_by = row.filed_by or ""
    digest = signing.digest(signing.content(row.form, row.decision["facts"]))
    await session.flush()  # the application before what refers to it
    for signer in signers:
        way = signing.given_by_filing(signer, filed_by, policy.signing_rules)
        given: dict[str, Any] = {"digest": digest, "signed_by": filed_by, "signed_at": clock.now()} if way else {}
        session.add(
            tables.Signature(
                application_id=row.id, round=row.round, field=signer.field, account=signer.account, way=way, **given
            )
        )
    if row.status == "awaiting_signatures":
        row.sign_by = calendar.add_working_days(clock.today(), policy.days("signatures")).on
        await due.add(session, SIGNATURES_OVERDUE, str(row.id), row.sign_by + DAY)
        said = SignaturesRequested(
            filed_by=filed_by, round=row.round, requested_on=clock.today(), due_on=row.sign_by
        )  # fmt: skip
        outbox.add(session, said, subject=str(row.id), clock=clock, correlation_id=str(row.id))


async def sign_application(
    session: AsyncSession, id: UUID, field: str, digest: str, subject: str, policy: domain.Policy, clock: Clock, *,
    document_id: UUID | None = None,
) -> tuple[tables.Application, tables.Signature]:  # fmt: skip
    """Sign a form that was read, or bring the paper that somebody else has signed. Who is neither named nor has filed
    it finds no such application.

    Raises NoSuchApplication, ActClosed, AlreadySigned, and FormReturned for another signer, form or document.
    Source: Registration Rules (SAMR Order 52) Art 15.
    """
    row = await kept.application_to_sign(session, id, subject)
    if row is None:
        raise NoSuchApplication
    states.after(row.status, "sign_accepted")  # type: ignore[arg-type]
    asked = await kept.of_round(session, id, row.round)
    signature = next((one for one in asked if one.field == field), None)
    if signature is None or not (signature.account == subject or (document_id and row.filed_by == subject)):
        raise domain.FormReturned([domain.Fault("signer", "signer_unknown")])
    if signature.way is not None:
        raise signing.AlreadySigned
    if digest != signing.digest(signing.content(row.form, row.decision["facts"])):
        raise domain.FormReturned([domain.Fault("digest", "digest_of_another_form")])
    if document_id and not await kept.paper_of(session, id, Signer(field).investor, document_id):
        raise domain.FormReturned([domain.Fault("document_id", "document_not_the_signed_form")])
    signature.way = "document" if document_id else "account"
    signature.digest, signature.signed_by, signature.signed_at = digest, subject, clock.now()
    signature.document_id = document_id
    row.version += 1
    if all(one.way is not None for one in asked):
        await _judge_signed(session, row, [one.way for one in asked], policy, clock)
    return row, signature


async def _judge_signed(
    session: AsyncSession, row: tables.Application, ways: Sequence[str | None], policy: domain.Policy, clock: Clock
) -> None:
    """Nothing but the law and the bans can have changed: the name was kept for the form. A signature on paper is looked
    at by an officer: nobody else can tell what it is."""
    application = forms.recalled(row)
    decision = domain.judge(domain.recalled(row.decision["facts"]), policy, clock.today())
    concerns = await concerns_of(session, application, clock)
    found: list[Any] = [decision.outcome, *(ground["outcome"] for ground in row.form["name_grounds"])]
    outcome = looked_into(worst([*found, "review"]) if "document" in ways else worst(found), concerns)
    row.status = states.after(row.status, states.SIGNED[outcome])  # type: ignore[arg-type]
    row.decision, row.concerns, row.sign_by = recorded(decision), forms.kept_concerns(concerns), None
    await due.remove(session, SIGNATURES_OVERDUE, str(row.id))
    await follow_judgement(session, row, application, policy, clock)
