"""Registered items change."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import legacy, reports
from services.registration.domain.names import Plan
from services.registration.published_events import EnterpriseChanged
from services.registration.use_cases import forms
from services.registration.use_cases.enterprise import own_enterprise
from services.registration.use_cases.history import continue_history
from services.registration.use_cases.names import change_name
from services.registration.use_cases.records import Judged, recorded
from services.registration.use_cases.reports import begin_reporting, report_with_change


async def change_enterprise(
    session: AsyncSession, identifier: str, change: domain.EnterpriseChange, owner: str, version: int,
    policy: domain.Policy, clock: Clock,
) -> Judged:  # fmt: skip
    """Change registered items. The enterprise as it would then be is judged as an establishment is; only an accepted
    change alters it, and takes a new name. Who has kept an organisation of the former laws may only adapt it.

    Raises EnterpriseUnknown, Stale, Deregistered, NotAdapted, and FormReturned with every fault.
    Source: Market Entity Registration Regulations Art 24; Foreign Investment Law Art 34, 42; Implementing Regulations
    Art 44.
    """
    domain.checked_change(change, policy)
    enterprise = await own_enterprise(session, identifier, owner)
    if enterprise.version != version:
        raise Stale
    legacy.require_adapted(enterprise.legacy_form, change.adapts, policy.legacy_forms, clock.today())
    facts = _as_changed(await repository.facts_of(session, enterprise), enterprise, change)
    decision = domain.judge(facts, policy, clock.today())
    if change.name is not None and decision.outcome == "accepted":
        await _rename(session, enterprise, change, change.name, facts, owner, policy, clock)
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
        before = enterprise.capital
        said = EnterpriseChanged.of(change, id, clock.today(), facts.structure)
        await _alter(session, enterprise, change, facts.structure)
        await continue_history(session, enterprise, "changed", id, clock)
        outbox.add(session, said, subject=identifier, clock=clock, correlation_id=str(id))
        await _report(session, enterprise, before, sorted(row.changed), id, owner, clock)
    return Judged(id, row.outcome, identifier, row.decision, enterprise.version)


async def _rename(
    session: AsyncSession, enterprise: tables.Enterprise, change: domain.EnterpriseChange, name: domain.EnterpriseName,
    facts: domain.Facts, owner: str, policy: domain.Policy, clock: Clock,
) -> None:  # fmt: skip
    if name.full == enterprise.name:
        raise domain.FormReturned([domain.Fault("enterprise_name", "name_unchanged")])
    investors: Sequence[str] = [party.name for party in change.parties]
    if change.investors is None and enterprise.application_id is not None:
        investors = await repository.investor_names(session, enterprise.application_id)
    plan = Plan(
        name, facts.structure.enterprise_type, facts.activities[0], facts.structure.holding.foreign, tuple(investors)
    )
    await change_name(session, enterprise, plan, owner, policy, clock)
    enterprise.name = name.full


def _as_changed(
    facts: domain.Facts, enterprise: tables.Enterprise, change: domain.EnterpriseChange
) -> domain.Facts:  # fmt: skip
    investors = facts.structure.investors if change.investors is None else change.investors
    claims = any(investor.is_foreign for investor in investors)
    structure = dataclasses.replace(
        facts.structure,
        investors=investors,
        treaty_claim=facts.structure.treaty_claim if claims else None,
        legal_representative_nationality=change.legal_representative_nationality
        or enterprise.legal_representative_nationality,
    )
    return dataclasses.replace(
        facts,
        place=change.area or enterprise.area,
        activities=change.activities or tuple(enterprise.activities),
        structure=structure,
    )


async def _alter(
    session: AsyncSession, enterprise: tables.Enterprise, change: domain.EnterpriseChange, structure: domain.Structure
) -> None:
    for name in ("area", "registered_capital", "capital_currency", "activities", "legal_representative_nationality"):
        if (value := getattr(change, name)) is not None:
            setattr(enterprise, name, list(value) if isinstance(value, tuple) else value)
    if change.investors is not None:
        enterprise.capital = structure.capital
        await _name_investors(session, enterprise, change)
    if change.adapts:
        enterprise.legacy_form = None
    enterprise.version += 1


async def _name_investors(
    session: AsyncSession, enterprise: tables.Enterprise, change: domain.EnterpriseChange
) -> None:
    """Names stand with the application; an enterprise of an older register has none, and no names here."""
    if enterprise.application_id is not None:
        await repository.forget_parties(session, enterprise.application_id, role="investor")
        session.add_all(forms.party_rows(change.parties, enterprise.application_id))


async def _report(
    session: AsyncSession, enterprise: tables.Enterprise, before: str | None, matters: list[str], id: UUID,
    owner: str, clock: Clock,
) -> None:  # fmt: skip
    """A domestic enterprise that becomes foreign-invested reports at this change; one that is reports what changed,
    also the change by which its foreign investors leave."""
    if reports.owes_reports(before):  # type: ignore[arg-type]
        await report_with_change(session, enterprise.uscc, matters, owner, id, clock)
    elif reports.owes_reports(enterprise.capital):  # type: ignore[arg-type]
        await begin_reporting(session, enterprise.uscc, owner, id, clock)


def _stated(change: domain.EnterpriseChange) -> dict[str, Any]:
    """The change as it is kept: names of people stay with the parties."""
    stated = {name: value for name, value in dataclasses.asdict(change).items() if value is not None}
    del stated["parties"]
    if not change.adapts:
        del stated["adapts"]
    if change.investors is not None:
        stated["investors"] = [domain.recorded_investor(investor) for investor in change.investors]
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in stated.items()}
