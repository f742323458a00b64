"""Information reports of enterprises with foreign investors, and the orders to report."""

from uuid import uuid4

from fastapi import Response

from libs.common.problems import Problem
from libs.common.web import InTransaction, Reading, TheClock, router
from services.registration import forms, repository, use_cases, views
from services.registration.api.arguments import (
    STAFF,
    Applicant,
    ApplicantOrStaff,
    Registrar,
    ThePolicy,
    Uscc,
    owner_for,
)

api = router()


@api.get("/enterprises/{uscc}/reports", tags=["reports"])
async def list_reports(uscc: Uscc, caller: ApplicantOrStaff, reading: Reading, clock: TheClock) -> views.ReportsView:
    """What has been reported and ordered, the latest first, and which annual report comes next."""
    found = await repository.reports(reading, uscc, owner_for(caller, *STAFF))
    if found is None:
        raise Problem("not-found", 404)
    enterprise, filed, orders = dict(found[0]), [dict(row) for row in found[1]], [dict(row) for row in found[2]]
    return views.ReportsView.of(enterprise, filed, orders, clock.today())


@api.post("/enterprises/{uscc}/reports/annual", status_code=201, tags=["reports"])
async def file_annual_report(
    uscc: Uscc, body: forms.AnnualReportForm, caller: Applicant, session: InTransaction, clock: TheClock,
    response: Response,
) -> views.ReportView:  # fmt: skip
    """File the annual report: of a year that is over, from 1 January to 30 June; a later one is marked late."""
    row = await use_cases.file_annual_report(session, uscc, body.report(), caller.subject, clock, id=uuid4())
    response.headers["location"] = f"/v1/enterprises/{uscc}/reports"
    return views.ReportView.model_validate(row.model_dump())


@api.post("/enterprises/{uscc}/reports/changes", status_code=201, tags=["reports"])
async def file_change_report(
    uscc: Uscc, body: forms.ChangeReportForm, caller: Applicant, session: InTransaction, law: ThePolicy,
    clock: TheClock, response: Response,
) -> views.ReportView:  # fmt: skip
    """Report matters that are not registered and have changed, such as the actual controller, within 20 working days.
    What is registered is reported by its change."""
    row = await use_cases.file_change_report(session, uscc, body.report(), caller.subject, law, clock, id=uuid4())
    response.headers["location"] = f"/v1/enterprises/{uscc}/reports"
    return views.ReportView.model_validate(row.model_dump())


@api.post("/enterprises/{uscc}/report-orders", status_code=201, tags=["reports"])
async def order_report(
    uscc: Uscc, body: forms.ReportOrderForm, caller: Registrar, session: InTransaction, law: ThePolicy, clock: TheClock
) -> views.ReportOrderView:
    """Order a report that is missing or wrong, with a reason; a report of that kind and year meets the order."""
    row = await use_cases.order_report(
        session, uscc, body.kind, body.year, caller.subject, body.reason, law, clock, id=uuid4()
    )  # fmt: skip
    return views.ReportOrderView.of(row.model_dump())


@api.put("/enterprises/{uscc}/legacy-form", tags=["review"])
async def note_legacy_form(
    uscc: Uscc, body: forms.LegacyFormForm, _: Registrar, session: InTransaction
) -> views.LegacyFormView:
    """Note that an enterprise has kept an organisation of the former laws on foreign investment, as its files show.
    From 2025 on nothing but the adaptation is registered for it."""
    form = await use_cases.note_legacy_form(session, uscc, body.form)
    return views.LegacyFormView(uscc=uscc, form=form)
