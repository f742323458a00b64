"""Information reports of enterprises with foreign investors: what is reported, when it is late, what a report states.

Sources: Foreign Investment Law Art 34, 37; Implementing Regulations Art 38, 39; MOFCOM/SAMR Order 2 of 2019;
Announcement 62 of 2019. The fields of an annual report are those of fie_form_fields.csv.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from services.registration.domain.application import Fault, FormReturned
from services.registration.domain.structure import Capital

Kind = Literal["initial", "change", "annual"]
Matter = Literal["actual_controller", "beneficial_owner", "service_agent_in_china", "contribution_form"]
"""What is reported where it changes, and not registered."""
T = TypeVar("T")
Listed = Literal["not_listed", "listed_in_china", "listed_abroad"]


class NotForeignInvested(Exception):
    """Only enterprises with foreign investors report."""


class ReportFiled(Exception):
    """The report of this year is filed already."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A licence that the enterprise holds, as an annual report lists it."""

    name: str
    number: str
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class AnnualReport:
    year: int
    involves_special_measures: bool
    employees: int
    foreign_employees: int
    cepa_eligible: bool | None = None
    permits: tuple[Permit, ...] = ()
    listed: Listed | None = None
    functional_hq: bool | None = None
    rd_centre: bool | None = None
    payroll: Decimal | None = None
    patents: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """Matters that have changed on a day without a change of the registration."""

    matters: tuple[Matter, ...]
    happened_on: date


def owes_reports(capital: Capital | None) -> bool:
    """Capital of Hong Kong, Macao and Taiwan reports as foreign does (Implementing Regulations Art 48)."""
    return capital in ("foreign", "hk_mo_tw")


def annual_due(year: int) -> date:
    """The last day of the annual report of a year: 30 June of the next."""
    return date(year + 1, 6, 30)


def checked_annual(report: AnnualReport, registered_on: date, today: date) -> AnnualReport:
    """The report itself, or FormReturned with every fault."""
    return _checked(report, _annual_faults(report, registered_on, today))


def checked_change_report(report: ChangeReport, registered_on: date, today: date) -> ChangeReport:
    """The report itself, or FormReturned with every fault."""
    return _checked(report, _change_faults(report, registered_on, today))


def _annual_faults(report: AnnualReport, registered_on: date, today: date) -> Iterator[Fault]:
    if report.year < registered_on.year:
        yield Fault("year", "report_before_registration", {"first": str(registered_on.year)})
    elif report.year >= today.year:
        yield Fault("year", "report_year_not_over", {"opens": f"{report.year + 1}-01-01"})
    if report.foreign_employees > report.employees:
        yield Fault("foreign_employees", "foreign_employees_above_all")


def _change_faults(report: ChangeReport, registered_on: date, today: date) -> Iterator[Fault]:
    if report.happened_on > today:
        yield Fault("happened_on", "report_day_to_come")
    elif report.happened_on < registered_on:
        yield Fault("happened_on", "report_before_registration", {"first": registered_on.isoformat()})
    yield from (
        Fault(f"matters.{position}", "matter_repeated")
        for position, matter in enumerate(report.matters)
        if matter in report.matters[:position]
    )


def _checked(report: T, faults: Iterator[Fault]) -> T:
    found: Sequence[Fault] = tuple(faults)
    if found:
        raise FormReturned(found)
    return report
