"""Information reports, orders to report, and forms of the former laws."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from libs.common.web.fields import Day
from services.registration.domain import reports
from services.registration.domain.legacy import LegacyForm
from services.registration.forms.fields import Capital, Count, Form, NamePart, PartyName, Words, Year

ANNUAL_EXAMPLE: dict[str, Any] = {
    "year": 2026,
    "involves_special_measures": False,
    "employees": 42,
    "foreign_employees": 3,
    "permits": [{"name": "食品经营许可证", "number": "JY23101060000000", "valid_until": "2031-03-01"}],
    "payroll": "6200000.00",
}


class HeldPermitForm(Form):
    """A licence that the enterprise holds."""

    name: PartyName
    number: NamePart
    valid_until: Day | None = None


class AnnualReportForm(Form):
    """The annual report of a year. `involves_special_measures`: whether the business is on the negative list."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANNUAL_EXAMPLE]})

    year: Year
    involves_special_measures: bool
    employees: Count
    foreign_employees: Count
    cepa_eligible: bool | None = None
    permits: Annotated[list[HeldPermitForm], Field(max_length=100)] = Field(default_factory=list)
    listed: reports.Listed | None = None
    functional_hq: bool | None = None
    rd_centre: bool | None = None
    payroll: Capital | None = None
    patents: Count | None = None

    def report(self) -> reports.AnnualReport:
        permits = tuple(reports.Permit(one.name, one.number, one.valid_until) for one in self.permits)
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "permits"}
        return reports.AnnualReport(permits=permits, **given)


class ChangeReportForm(Form):
    """Matters that have changed on a day and are reported, not registered."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"matters": ["actual_controller"], "happened_on": "2026-01-05"}]}
    )

    matters: Annotated[list[reports.Matter], Field(min_length=1, max_length=10)]
    happened_on: Day

    def report(self) -> reports.ChangeReport:
        return reports.ChangeReport(tuple(self.matters), self.happened_on)


class ReportOrderForm(Form):
    """Which report is ordered, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "change", "reason": "实际控制人已变更，尚未报告。"}]}
    )

    kind: reports.Kind
    year: Year | None = None
    reason: Words


class LegacyFormForm(Form):
    """The form of the former laws that an enterprise has kept; null: none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"form": "equity_joint_venture"}]})

    form: LegacyForm | None
