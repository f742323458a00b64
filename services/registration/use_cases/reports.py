"""Information reports: filed with a registration or a change, filed by themselves, owed every year, and ordered."""

import dataclasses
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, outbox
from libs.common.clock import Clock
from services.registration import domain, repository, tables
from services.registration.domain import reports
from services.registration.domain.reports import NotForeignInvested, ReportFiled
from services.registration.published_events import InformationReportFiled, InformationReportOverdue
from services.registration.use_cases.enterprise import own_enterprise

ANNUAL_OVERDUE = "annual_report_overdue"
"""The due kind of an enterprise's annual report; it fires on 1 July, every year."""

ORDER_ENDS = "report_order_ends"
"""The due kind of an order to report; it fires on the day after its last."""

DAY = timedelta(days=1)


async def begin_reporting(
    session: AsyncSession, uscc: str, filed_by: str | None, because: UUID, clock: Clock
) -> None:  # fmt: skip
    """The initial report comes with the form of the registration, or of the change by which foreign investors came in;
    from then on a report is owed every year. Source: Implementing Regulations Art 38, 39; Order 2 of 2019."""
    session.add(_row(uuid4(), uscc, "initial", filed_by, clock, because=because))
    await due.add(session, ANNUAL_OVERDUE, uscc, reports.annual_due(clock.today().year) + DAY)


async def report_with_change(
    session: AsyncSession, uscc: str, matters: list[str], filed_by: str, because: UUID, clock: Clock
) -> None:  # fmt: skip
    """A registration change is its own change report, of what has changed alone."""
    session.add(_row(uuid4(), uscc, "change", filed_by, clock, because=because, matters=matters))


async def file_annual_report(
    session: AsyncSession, uscc: str, report: reports.AnnualReport, owner: str, clock: Clock, *, id: UUID
) -> tables.InformationReport:
    """File the report of a year; one that comes after 30 June is late and taken all the same.

    Raises EnterpriseUnknown, Deregistered, NotForeignInvested, ReportFiled, FormReturned.
    """
    enterprise = await _reporting(session, uscc, owner)
    reports.checked_annual(report, enterprise.registered_on, clock.today())
    if await repository.annual_report(session, uscc, report.year):
        raise ReportFiled
    late = clock.today() > reports.annual_due(report.year)
    row = _row(id, uscc, "annual", owner, clock, year=report.year, late=late, content=_content(report))
    return await _filed(session, row, clock)


async def file_change_report(
    session: AsyncSession, uscc: str, report: reports.ChangeReport, owner: str, policy: domain.Policy, clock: Clock, *,
    id: UUID,
) -> tables.InformationReport:  # fmt: skip
    """Report matters that change without a registration change, within 20 working days.

    Raises EnterpriseUnknown, Deregistered, NotForeignInvested, FormReturned.
    """
    enterprise = await _reporting(session, uscc, owner)
    reports.checked_change_report(report, enterprise.registered_on, clock.today())
    last = calendar.add_working_days(report.happened_on, policy.days("change_report")).on
    row = _row(
        id, uscc, "change", owner, clock, matters=list(report.matters), happened_on=report.happened_on,
        late=clock.today() > last,
    )  # fmt: skip
    return await _filed(session, row, clock)


async def order_report(
    session: AsyncSession, uscc: str, kind: reports.Kind, year: int | None, officer: str, reason: str,
    policy: domain.Policy, clock: Clock, *, id: UUID,
) -> tables.ReportOrder:  # fmt: skip
    """An officer orders a report that is missing or wrong. Raises EnterpriseUnknown, Deregistered, NotForeignInvested.

    Source: Foreign Investment Law Art 37.
    """
    enterprise = await own_enterprise(session, uscc, None)
    if not reports.owes_reports(enterprise.capital):  # type: ignore[arg-type]
        raise NotForeignInvested
    return await _order(session, uscc, kind, year, policy, clock, id=id, officer=officer, reason=reason)


async def miss_annual_report(session: AsyncSession, uscc: str, on: date, policy: domain.Policy, clock: Clock) -> None:
    """30 June has passed. Where the report of the year before is missing, it is ordered and told; the clock goes on."""
    enterprise = await repository.enterprise_to_change(session, uscc)
    if enterprise is None or enterprise.deregistered_on or enterprise.withdrawn_on:
        return
    if not reports.owes_reports(enterprise.capital):  # type: ignore[arg-type]
        return
    year = on.year - 1
    await due.add(session, ANNUAL_OVERDUE, uscc, reports.annual_due(on.year) + DAY)
    if await repository.annual_report(session, uscc, year):
        return
    id = uuid5(NAMESPACE_URL, f"report-order:{uscc}:annual:{year}")
    order = await _order(session, uscc, "annual", year, policy, clock, id=id)
    _say_overdue(session, order, "window", reports.annual_due(year), clock)


async def end_report_order(session: AsyncSession, id: UUID, clock: Clock) -> None:
    """The days of an order are over. Nothing happens where it was met."""
    order = await repository.open_order(session, id)
    if order is None:
        return
    order.ended = {"outcome": "unmet", "on": clock.today().isoformat()}
    _say_overdue(session, order, "order", order.due_on, clock)


async def _reporting(session: AsyncSession, uscc: str, owner: str) -> tables.Enterprise:
    enterprise = await own_enterprise(session, uscc, owner)
    if not reports.owes_reports(enterprise.capital):  # type: ignore[arg-type]
        raise NotForeignInvested
    return enterprise


async def _order(
    session: AsyncSession, uscc: str, kind: reports.Kind, year: int | None, policy: domain.Policy, clock: Clock, *,
    id: UUID, officer: str | None = None, reason: str | None = None,
) -> tables.ReportOrder:  # fmt: skip
    due_on = calendar.add_working_days(clock.today(), policy.days("report_order")).on
    order = tables.ReportOrder(
        id=id, uscc=uscc, kind=kind, year=year, ordered_on=clock.today(), due_on=due_on, officer=officer, reason=reason
    )
    session.add(order)
    await due.add(session, ORDER_ENDS, str(id), due_on + DAY)
    return order


async def _filed(session: AsyncSession, row: tables.InformationReport, clock: Clock) -> tables.InformationReport:
    """Enter the report, end the orders that asked for it, and say so."""
    session.add(row)
    for order in await repository.open_orders(session, row.uscc, row.kind, row.year):
        order.ended = {"outcome": "met", "on": clock.today().isoformat(), "report_id": str(row.id)}
        await due.remove(session, ORDER_ENDS, str(order.id))
    said = InformationReportFiled(
        report_id=row.id,
        kind=row.kind,  # type: ignore[arg-type]
        year=row.year,
        filed_on=row.filed_on,
        late=row.late,
    )
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=str(row.id))
    return row


def _say_overdue(
    session: AsyncSession, order: tables.ReportOrder, missed: Literal["window", "order"], due_on: date, clock: Clock
) -> None:
    said = InformationReportOverdue(
        order_id=order.id,
        kind=order.kind,  # type: ignore[arg-type]
        year=order.year,
        missed=missed,
        due_on=due_on,
        overdue_on=clock.today(),
        order_until=order.due_on if missed == "window" else None,
    )
    outbox.add(session, said, subject=order.uscc, clock=clock, correlation_id=str(order.id))


def _row(
    id: UUID, uscc: str, kind: reports.Kind, filed_by: str | None, clock: Clock, **more: Any
) -> tables.InformationReport:  # fmt: skip
    return tables.InformationReport(id=id, uscc=uscc, kind=kind, filed_by=filed_by, filed_on=clock.today(), **more)


def _content(report: reports.AnnualReport) -> dict[str, Any]:
    """As JSON: days and amounts as text, what was not stated left out."""
    stated = dataclasses.asdict(report)
    del stated["year"]
    return {name: _plain(value) for name, value in stated.items() if value not in (None, ())}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
