"""Registered items change."""

import dataclasses
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import standing
from services.registration.published_events import EnterpriseChanged
from services.registration.use_cases.records import Judged, recorded


class EnterpriseUnknown(Exception):
    """No enterprise is registered under this identifier, or it is not the caller's."""


async def change_enterprise(
    session: AsyncSession, identifier: str, change: domain.EnterpriseChange, owner: str, version: int,
    policy: domain.Policy, clock: Clock,
) -> Judged:  # fmt: skip
    """Change registered items. The enterprise as it would then be is judged as an establishment is; only an accepted
    change alters it.

    Raises EnterpriseUnknown, Stale, Deregistered, and FormReturned with every fault.
    Source: Market Entity Registration Regulations Art 24; Foreign Investment Law Art 34.
    """
    domain.checked_change(change, policy)
    enterprise = await own_enterprise(session, identifier, owner)
    if enterprise.version != version:
        raise Stale
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
    return Judged(id, row.outcome, identifier, row.decision, enterprise.version)


async def own_enterprise(session: AsyncSession, identifier: str, owner: str) -> tables.Enterprise:
    """The enterprise of this account, locked and still on the register. Raises EnterpriseUnknown, Deregistered."""
    enterprise = await repository.enterprise_to_change(session, identifier, owner)
    if enterprise is None:
        raise EnterpriseUnknown
    if enterprise.deregistered_on is not None:
        raise standing.Deregistered
    return enterprise


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


def _stated(change: domain.EnterpriseChange) -> dict[str, Any]:
    stated = {name: value for name, value in dataclasses.asdict(change).items() if value is not None}
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in stated.items()}
