"""The history of an enterprise on two clocks: every act writes it here, and corrections keep what was known."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.identity import Caller
from services.registration import domain, repository, tables
from services.registration.domain import history
from services.registration.repository import history as kept
from services.registration.use_cases.enterprise import EnterpriseUnknown


def content_of(enterprise: tables.Enterprise) -> dict[str, Any]:
    """What the register holds of an enterprise, as JSON; no names of people."""
    return {
        "name": enterprise.name,
        "enterprise_type": enterprise.enterprise_type,
        "registered_capital": f"{enterprise.registered_capital:f}",
        "capital_currency": enterprise.capital_currency,
        "capital": enterprise.capital,
        "activities": list(enterprise.activities),
        "area": enterprise.area,
        "legal_representative_nationality": enterprise.legal_representative_nationality,
        "status": "registered",
    }


async def begin_history(session: AsyncSession, enterprise: tables.Enterprise, cause: UUID, clock: Clock) -> None:
    first = history.Span(enterprise.registered_on, None, content_of(enterprise))
    await kept.enter_spans(session, enterprise.uscc, [first], "registered", cause, None, clock.now())


async def continue_history(
    session: AsyncSession, enterprise: tables.Enterprise, because: history.Because, cause: UUID, clock: Clock
) -> None:
    """What the enterprise is from today on."""
    fields = content_of(enterprise)
    if because in ("deregistered", "withdrawn"):
        fields["status"] = because
    await _amend(session, enterprise.uscc, clock.today(), None, fields, because, cause, None, clock)


async def correct_history(
    session: AsyncSession, uscc: str, since: date, until: date, correction: domain.EnterpriseChange, reason: str,
    officer: Caller, policy: domain.Policy, clock: Clock, *, id: UUID,
) -> None:  # fmt: skip
    """An officer corrects what the register held in a time that is over. What was known before stays readable, and
    decisions keep the facts they rested on. What holds now is changed, not corrected.

    Raises EnterpriseUnknown, FormReturned with every fault.
    """
    enterprise = await repository.enterprise_to_change(session, uscc)
    if enterprise is None:
        raise EnterpriseUnknown
    domain.checked_change(correction, policy)
    history.checked_period(since, until, enterprise.registered_on, clock.today())
    session.add(
        tables.HistoryCorrection(
            id=id, uscc=uscc, valid_from=since, valid_to=until, officer=officer.subject, reason=reason,
            corrected_on=clock.today(),
        )
    )  # fmt: skip
    await _amend(session, uscc, since, until, _stated(correction), "corrected", id, reason, clock)


async def _amend(
    session: AsyncSession, uscc: str, since: date, until: date | None, fields: Mapping[str, Any],
    because: history.Because, cause: UUID, reason: str | None, clock: Clock,
) -> None:  # fmt: skip
    known = await kept.spans_known(session, uscc)
    replaced = list(history.amended(list(known.values()), since, until, fields))
    gone = [number for number, span in known.items() if any(span is old for old, _ in replaced)]
    pieces = [piece for _, new in replaced for piece in new]
    await kept.supersede(session, uscc, gone, clock.now())
    await kept.enter_spans(session, uscc, pieces, because, cause, reason, clock.now())


def _stated(correction: domain.EnterpriseChange) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    for name in ("area", "capital_currency", "legal_representative_nationality"):
        if (value := getattr(correction, name)) is not None:
            stated[name] = value
    if correction.registered_capital is not None:
        stated["registered_capital"] = f"{correction.registered_capital:f}"
    if correction.activities is not None:
        stated["activities"] = list(correction.activities)
    return stated
