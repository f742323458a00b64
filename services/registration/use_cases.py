"""The acts of the registry: load, decide, record, tell. The transaction is the caller's."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.registration import domain, repository, tables
from services.registration.domain import uscc
from services.registration.published_events import EnterpriseChanged, EnterpriseRegistered

Status = Literal["registered", "in_review", "refused"]
STATUS: dict[domain.Outcome, Status] = {"accepted": "registered", "review": "in_review", "refused": "refused"}


class EnterpriseUnknown(Exception):
    """No enterprise is registered under this identifier."""


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What became of a form or a change, and why: `decision` is the record that is kept of it."""

    id: UUID
    status: str
    uscc: str | None
    decision: dict[str, Any]


async def submit_application(
    session: AsyncSession, command: domain.SubmitApplication, policy: domain.Policy, clock: Clock, *, id: UUID
) -> Judged:
    """Judge the single form by the law of the day: register on the spot, send to review, or refuse with the grounds.

    Raises FormReturned with every fault of the form at once.
    Source: Shanghai Business Environment Regulations (2020) Art 30; Foreign Investment Law Art 4, 28.
    """
    application = domain.checked(command.application, policy)
    decision = domain.decide(application, policy, clock.today())
    row = tables.Application(
        id=id,
        submitted_at=clock.now(),
        status=STATUS[decision.outcome],
        enterprise_name=application.name.full,
        form=_form(application),
        decision=recorded(decision),
    )
    session.add(row)
    session.add_all(_parties(command.parties, id))
    if decision.outcome == "accepted":
        row.uscc = await register_enterprise(session, application, id, clock)
    return Judged(id, row.status, row.uscc, row.decision)


async def register_enterprise(session: AsyncSession, application: domain.Application, id: UUID, clock: Clock) -> str:
    """Enter the enterprise under a new Unified Social Credit Identifier and say so; returns the identifier."""
    identifier = uscc.uscc_for(await repository.next_serial(session))
    session.add(
        tables.Enterprise(
            uscc=identifier,
            application_id=id,
            registered_on=clock.today(),
            name=application.name.full,
            enterprise_type=application.enterprise_type,
            registered_capital=application.registered_capital,
            capital_currency=application.capital_currency,
            activities=list(application.activities),
            area=application.area,
            legal_representative_nationality=application.legal_representative_nationality,
        )
    )
    said = EnterpriseRegistered.of(application, id, clock.today())
    outbox.add(session, said, subject=identifier, clock=clock, correlation_id=str(id))
    return identifier


async def change_enterprise(
    session: AsyncSession, identifier: str, change: domain.EnterpriseChange, policy: domain.Policy, clock: Clock
) -> Judged:
    """Change registered items. The enterprise as it would then be is judged as an establishment is; only an accepted
    change alters it.

    Raises EnterpriseUnknown, and FormReturned with every fault.
    Source: Market Entity Registration Regulations Art 24; Foreign Investment Law Art 34.
    """
    domain.checked_change(change, policy)
    enterprise = await repository.enterprise_to_change(session, identifier)
    if enterprise is None:
        raise EnterpriseUnknown
    established = domain.recalled((await repository.application_of(session, enterprise)).decision["facts"])
    facts = _as_changed(established, enterprise, change)
    decision = domain.judge(facts, policy, clock.today())
    id = uuid4()
    row = tables.EnterpriseChange(
        id=id,
        uscc=identifier,
        requested_at=clock.now(),
        outcome=decision.outcome,
        changed=_stated(change),
        decision=recorded(decision),
    )
    session.add(row)
    if decision.outcome == "accepted":
        _alter(enterprise, change)
        said = EnterpriseChanged.of(change, id, clock.today())
        outbox.add(session, said, subject=identifier, clock=clock, correlation_id=str(id))
    return Judged(id, row.outcome, identifier, row.decision)


def recorded(decision: domain.Decision) -> dict[str, Any]:
    """A decision as it is kept: enough to judge it again and to see that the answer is the same."""
    return {
        "outcome": decision.outcome,
        "judged_for": decision.judged_for.isoformat(),
        "policy_digest": decision.policy_digest,
        "facts": domain.recorded(decision.facts),
        "findings": [_finding(finding) for finding in decision.findings],
    }


def _finding(finding: domain.Finding) -> dict[str, Any]:
    """A ground with the row of the law it rests on, as that row read on the day."""
    entry, edition = finding.entry, finding.edition
    return {
        "outcome": finding.outcome,
        "verdict": finding.verdict,
        "activity": finding.activity,
        "edition": edition.edition if edition else None,
        "scope": edition.scope if edition else None,
        "instrument": edition.instrument if edition else None,
        "item_no": entry.item_no if entry else None,
        "item_key": entry.item_key if entry else None,
        "part": entry.part if entry else None,
        "summary_zh": entry.text_zh if entry else None,
        "summary_en": entry.text_summary if entry else None,
        "measures": list(entry.measure) if entry else [],
        "cap": (entry.cap or None) if entry else None,
        "coverage": entry.coverage if entry else None,
        "confidence": entry.confidence if entry else None,
        "source": entry.source if entry else None,
        "note": (entry.note or None) if entry else None,
        "relief": list(finding.relief),
        "reasons": list(finding.reasons),
    }


def _as_changed(
    established: domain.Facts, enterprise: tables.Enterprise, change: domain.EnterpriseChange
) -> domain.Facts:
    nationality = change.legal_representative_nationality or enterprise.legal_representative_nationality
    return dataclasses.replace(
        established,
        place=change.area or enterprise.area,
        activities=change.activities or tuple(enterprise.activities),
        structure=dataclasses.replace(established.structure, legal_representative_nationality=nationality),
    )


def _alter(enterprise: tables.Enterprise, change: domain.EnterpriseChange) -> None:
    for name, value in dataclasses.asdict(change).items():
        if value is not None:
            setattr(enterprise, name, list(value) if isinstance(value, tuple) else value)
    enterprise.version += 1


def _parties(parties: Sequence[domain.Party], application_id: UUID) -> list[tables.Party]:
    return [tables.Party(application_id=application_id, **dataclasses.asdict(party)) for party in parties]


def _form(application: domain.Application) -> dict[str, Any]:
    """What the form states beside its facts; parties by their random ids alone."""
    term = application.term
    return {
        "name": dataclasses.asdict(application.name),
        "registered_capital": f"{application.registered_capital:f}",
        "capital_currency": application.capital_currency,
        "investor_parties": [str(party) for party in application.investor_parties],
        "legal_representative": str(application.legal_representative),
        "term": [term.starts.isoformat(), term.ends.isoformat() if term.ends else None] if term else None,
    }


def _stated(change: domain.EnterpriseChange) -> dict[str, Any]:
    stated = {name: value for name, value in dataclasses.asdict(change).items() if value is not None}
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in stated.items()}
