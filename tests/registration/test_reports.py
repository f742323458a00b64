"""Information reports: with the registration, with a change, every year, and what becomes of those that are missing."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.registration import use_cases
from services.registration.domain import FormReturned
from services.registration.domain.legacy import NotAdapted
from services.registration.domain.reports import NotForeignInvested, ReportFiled
from tests.registration.registry import WEI, Registry
from tests.spine import Spine, form, get, post, submit

DOMESTIC: dict[str, Any] = {
    "investors": [{"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "100"}],
    "legal_representative": {"name": "示例", "nationality": "CN"},
}
GERMAN = {"name": "Grünfeld Gastronomie GmbH", "kind": "legal", "country": "DE", "share": "60"}
CHINESE = {"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "40"}


async def registered(registry: Registry, **fields: Any) -> str:
    uscc = (await registry.submit(**fields)).uscc
    assert uscc is not None
    return uscc


async def reports(registry: Registry, uscc: str) -> list[tuple[str, int | None, bool]]:
    async with registry.connection() as connection:
        query = "SELECT kind, year, late FROM information_report WHERE uscc = $1 ORDER BY filed_on, kind DESC"
        return [tuple(row) for row in await connection.fetch(query, uscc)]


async def test_the_initial_report_comes_with_the_form(registry: Registry) -> None:
    assert await reports(registry, await registered(registry)) == [("initial", None, False)]
    assert await reports(registry, await registered(registry, **DOMESTIC)) == []


async def test_the_year_is_reported_from_january_to_june_and_late_after_that(registry: Registry) -> None:
    uscc = await registered(registry)
    with pytest.raises(FormReturned) as early:
        await registry.on(date(2026, 12, 31)).report_annual(uscc, 2026)
    assert [(fault.field, fault.code) for fault in early.value.faults] == [("year", "report_year_not_over")]
    with pytest.raises(FormReturned, match="report_before_registration"):
        await registry.on(date(2027, 1, 1)).report_annual(uscc, 2025)
    with pytest.raises(FormReturned, match="foreign_employees_above_all"):
        await registry.on(date(2027, 1, 1)).report_annual(uscc, 2026, foreign_employees=13)

    await registry.on(date(2027, 6, 30)).report_annual(
        uscc, 2026, payroll="6200000.00", permits=[{"name": "许可证", "number": "1"}]
    )
    with pytest.raises(ReportFiled):
        await registry.on(date(2027, 6, 30)).report_annual(uscc, 2026)
    await registry.on(date(2028, 7, 1)).report_annual(uscc, 2027)
    assert await reports(registry, uscc) == [("initial", None, False), ("annual", 2026, False), ("annual", 2027, True)]
    kept = await registry.row("SELECT content FROM information_report WHERE uscc = $1 AND year = 2026", uscc)
    assert '"payroll": "6200000.00"' in kept["content"]


async def test_a_missing_annual_report_is_ordered_told_and_told_again(registry: Registry) -> None:
    """On 1 July it is overdue and ordered for 20 working days; then the order is unmet. Next year's clock runs on."""
    uscc, diligent = await registered(registry), await registered(registry)
    await registry.on(date(2027, 2, 1)).report_annual(diligent, 2026)
    await registry.time_passes(until=date(2027, 7, 1))
    order = await registry.row("SELECT * FROM report_order WHERE uscc = $1", uscc)
    assert (order["kind"], order["year"], order["ordered_on"]) == ("annual", 2026, date(2027, 7, 1))
    assert order["due_on"] > date(2027, 7, 20)

    await registry.time_passes(until=date(2027, 12, 31))
    told = [(act, data["missed"], data["due_on"]) for act, data in await registry.told(uscc) if "overdue" in act]
    assert told == [
        ("information_report_overdue", "window", "2027-06-30"),
        ("information_report_overdue", "order", order["due_on"].isoformat()),
    ]
    assert [act for act, _ in await registry.told(diligent)] == ["enterprise_registered", "information_report_filed"]
    assert await registry.find("SELECT 1 FROM due WHERE subject = $1 AND on_date = '2028-07-01'", uscc)


async def test_a_report_in_the_time_ordered_ends_the_order(registry: Registry) -> None:
    uscc = await registered(registry)
    await registry.time_passes(until=date(2027, 7, 1))
    await registry.on(date(2027, 7, 2)).report_annual(uscc, 2026)
    await registry.time_passes(until=date(2027, 12, 31))
    assert [act for act, _ in await registry.told(uscc)][-2:] == [
        "information_report_overdue",
        "information_report_filed",
    ]
    assert (await registry.row("SELECT ended ->> 'outcome' AS outcome FROM report_order WHERE uscc = $1", uscc))[
        "outcome"
    ] == "met"


async def test_who_has_left_the_register_owes_no_report(registry: Registry) -> None:
    uscc = await registered(registry)
    await registry.deregister(uscc, "simplified")
    await registry.time_passes(until=date(2028, 7, 1))
    assert "information_report_overdue" not in [act for act, _ in await registry.told(uscc)]


@pytest.mark.parametrize(("filed_on", "late"), [(date(2026, 2, 2), False), (date(2026, 2, 3), True)])
async def test_what_is_not_registered_is_reported_within_20_working_days(
    registry: Registry, filed_on: date, late: bool
) -> None:
    """From Monday 5 January (no holiday in between): the 20th working day is Monday 2 February."""
    uscc = await registered(registry)
    report = await registry.on(filed_on).report_change(uscc, date(2026, 1, 5), "actual_controller", "beneficial_owner")
    assert report.late is late
    with pytest.raises(FormReturned, match="report_day_to_come"):
        await registry.on(filed_on).report_change(uscc, date(2026, 6, 1))
    with pytest.raises(FormReturned, match="matter_repeated"):
        await registry.on(filed_on).report_change(uscc, date(2026, 1, 5), "actual_controller", "actual_controller")


async def test_an_officer_orders_what_was_not_reported(registry: Registry) -> None:
    uscc = await registered(registry)
    await registry.act(
        lambda session: use_cases.order_report(
            session, uscc, "change", None, WEI.subject, "实际控制人已变更。", registry.law, registry.clock, id=uuid4()
        )
    )
    await registry.on(date(2026, 1, 12)).report_change(uscc, date(2026, 1, 5))
    assert (await registry.row("SELECT ended ->> 'outcome' AS outcome FROM report_order WHERE uscc = $1", uscc))[
        "outcome"
    ] == "met"


async def test_a_domestic_enterprise_becomes_foreign_invested_and_back(registry: Registry) -> None:
    """Becoming so, it reports initially; the change by which it ceases is the last that it reports."""
    uscc = await registered(registry, **DOMESTIC)
    with pytest.raises(NotForeignInvested):
        await registry.on(date(2027, 2, 1)).report_annual(uscc, 2026)
    joined = await registry.on(date(2026, 3, 2)).change(uscc, investors=[GERMAN, CHINESE])
    assert joined.status == "accepted"
    assert (await registry.enterprise(uscc))["capital"] == "foreign"
    assert (await registry.told(uscc))[-1][1] | {"change_id": 0} == {
        "change_id": 0, "changed_on": "2026-03-02", "changed": [], "foreign_share": "60", "capital": "foreign",
    }  # fmt: skip
    await registry.on(date(2026, 4, 1)).change(uscc, 2, area="310106013")
    await registry.on(date(2026, 5, 6)).change(uscc, 3, investors=DOMESTIC["investors"])
    assert await reports(registry, uscc) == [("initial", None, False), ("change", None, False), ("change", None, False)]
    await registry.time_passes(until=date(2027, 7, 1))
    assert "information_report_overdue" not in [act for act, _ in await registry.told(uscc)]


async def test_new_investors_are_judged_with_all_that_changed_before(registry: Registry) -> None:
    """The trade was changed meanwhile to one in which foreign investment is prohibited: no foreigner comes in."""
    uscc = await registered(registry, **DOMESTIC)
    await registry.change(uscc, activities=["0422"])
    refused = await registry.change(uscc, 2, investors=[GERMAN, CHINESE])
    assert refused.status == "refused"
    assert (await registry.enterprise(uscc))["capital"] == "domestic"
    with pytest.raises(FormReturned, match="shares_not_100"):
        await registry.change(uscc, 2, investors=[GERMAN])


async def test_names_of_new_investors_take_the_place_of_the_old(registry: Registry) -> None:
    uscc = await registered(registry)
    other = {"name": "Sample Holding Ltd", "kind": "legal", "country": "SG", "share": "60"}
    await registry.change(uscc, investors=[other, CHINESE])
    row = await registry.row(
        "SELECT array_agg(p.name ORDER BY p.name) AS names FROM party p JOIN enterprise e USING (application_id) "
        "WHERE e.uscc = $1 AND role = 'investor'", uscc,
    )  # fmt: skip
    assert row["names"] == ["Sample Holding Ltd", "上海禾苗商贸有限公司"]
    change = await registry.row("SELECT changed FROM enterprise_change WHERE uscc = $1", uscc)
    assert "Sample" not in change["changed"]


async def test_reports_over_http(spine: Spine) -> None:
    spine.up("registration")
    uscc = (await submit(spine)).json()["uscc"]
    path = f"/v1/enterprises/{uscc}/reports"
    changed = await post(spine, f"{path}/changes", {"matters": ["actual_controller"], "happened_on": "2026-01-05"})
    assert (changed.status_code, changed.json()["late"]) == (201, False)
    early = await post(
        spine,
        f"{path}/annual",
        {"year": 2026, "involves_special_measures": False, "employees": 1, "foreign_employees": 0},
    )
    assert early.json()["errors"][0]["detail"] == "The report of this year can be filed from 2027-01-01."
    ordered = await post(
        spine, f"/v1/enterprises/{uscc}/report-orders", {"kind": "initial", "reason": "核对"}, person="registrar-1"
    )
    assert ordered.status_code == 201
    seen = (await get(spine, path)).json()
    assert [one["kind"] for one in seen["items"]] == ["change", "initial"] or [
        one["kind"] for one in seen["items"]
    ] == ["initial", "change"]
    assert seen["next_annual"] == {"year": 2026, "opens_on": "2027-01-01", "due_on": "2027-06-30"}
    assert seen["orders"][0]["outcome"] is None
    assert (await get(spine, path, person="applicant-2")).status_code == 404
    assert (await get(spine, path, person="regulator-1")).status_code == 200


async def test_who_has_not_adapted_registers_nothing_else(spine: Spine) -> None:
    """An equity joint venture of the former law: in 2026 nothing but its adaptation is registered."""
    uscc = (await submit(spine)).json()["uscc"]
    noted = await post(
        spine,
        f"/v1/enterprises/{uscc}/legacy-form",
        {"form": "equity_joint_venture"},
        person="registrar-1",
        method="PUT",
    )
    assert noted.status_code == 200, noted.text
    path = f"/v1/enterprises/{uscc}/changes"
    refused = await post(spine, path, {"area": "310106013"}, if_match=1)
    assert refused.json()["type"].endswith(":legacy-not-adapted")
    assert "1 January 2025" in refused.json()["detail"]
    adapted = await post(spine, path, {"adapts": True}, if_match=1)
    assert (adapted.status_code, adapted.json()["decision"]["outcome"]) == (201, "accepted")
    assert (await post(spine, path, {"area": "310106013"}, if_match=2)).status_code == 201


@pytest.mark.parametrize(("on", "taken"), [(date(2024, 12, 31), True), (date(2025, 1, 1), False)])
async def test_until_the_end_of_2024_the_former_organisation_could_be_kept(
    registry: Registry, on: date, taken: bool
) -> None:
    old = registry.on(date(2024, 11, 5))
    uscc = await registered(old)
    await old.act(lambda session: use_cases.note_legacy_form(session, uscc, "wholly_foreign_owned"))
    if taken:
        assert (await registry.on(on).change(uscc, area="310106013")).status == "accepted"
    else:
        with pytest.raises(NotAdapted):
            await registry.on(on).change(uscc, area="310106013")


async def test_credit_proposes_the_abnormal_list(spine: Spine) -> None:
    """The event reaches credit, where an officer decides; nobody is listed by a clock."""
    spine.up("credit")
    uscc = (await submit(spine, form())).json()["uscc"]
    await spine.quiet()
    await spine.travel(date(2027, 7, 1))
    async with spine.database("credit") as connection:
        found = await connection.fetch("SELECT list, ground, state FROM proposal WHERE uscc = $1", uscc)
    assert [tuple(row) for row in found] == [("abnormal_operation", "AB1", "open")]
