"""Information reports as they are answered."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration.domain import reports
from services.registration.domain.legacy import LegacyForm
from services.registration.domain.reports import Kind

REPORT_EXAMPLE: dict[str, Any] = {
    "id": "4a9e0d0c-2f1b-4a53-9d2e-8f6f1c0b7a21",
    "kind": "annual",
    "year": 2026,
    "matters": [],
    "happened_on": None,
    "filed_on": "2027-03-02",
    "late": False,
    "because": None,
    "content": {"involves_special_measures": False, "employees": 42, "foreign_employees": 3},
}
ORDER_EXAMPLE: dict[str, Any] = {
    "id": "7f5b8a34-3f0e-4b0e-9c55-0b8e5f7d2c10",
    "kind": "annual",
    "year": 2026,
    "ordered_on": "2027-07-01",
    "due_on": "2027-07-29",
    "outcome": None,
}


class ReportView(BaseModel):
    """One report. `because`: the application or change that it came with, where it was not filed by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [REPORT_EXAMPLE]})

    id: UUID
    kind: Kind
    year: int | None
    matters: list[str]
    happened_on: date | None
    filed_on: date
    late: bool
    because: UUID | None
    content: dict[str, Any]


class ReportOrderView(BaseModel):
    """An order to report until `due_on`; `outcome` is null while it runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [ORDER_EXAMPLE]})

    id: UUID
    kind: Kind
    year: int | None
    ordered_on: date
    due_on: date
    outcome: Literal["met", "unmet"] | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls.model_validate({**row, "outcome": row["ended"]["outcome"] if row["ended"] else None})


class NextAnnualView(BaseModel):
    """The annual report that is owed next: open from `opens_on`, late after `due_on`."""

    year: int
    opens_on: date
    due_on: date


class ReportsView(BaseModel):
    """Reports and orders of an enterprise; `next_annual` is null for one that owes none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [REPORT_EXAMPLE],
                    "orders": [ORDER_EXAMPLE],
                    "next_annual": {"year": 2027, "opens_on": "2028-01-01", "due_on": "2028-06-30"},
                }
            ]
        }
    )

    items: list[ReportView]
    orders: list[ReportOrderView]
    next_annual: NextAnnualView | None

    @classmethod
    def of(
        cls, enterprise: Mapping[str, Any], filed: Sequence[Mapping[str, Any]], orders: Sequence[Mapping[str, Any]],
        today: date,
    ) -> Self:  # fmt: skip
        """From rows whose JSON columns are read."""
        return cls(
            items=[ReportView.model_validate(dict(row)) for row in filed],
            orders=[ReportOrderView.of(row) for row in orders],
            next_annual=_next(enterprise, {row["year"] for row in filed}, today),
        )


def _next(enterprise: Mapping[str, Any], filed: set[int | None], today: date) -> NextAnnualView | None:
    if enterprise["deregistered_on"] or not reports.owes_reports(enterprise["capital"]):
        return None
    year = max(enterprise["registered_on"].year, today.year - 1)
    while year in filed:
        year += 1
    return NextAnnualView(year=year, opens_on=date(year + 1, 1, 1), due_on=reports.annual_due(year))


class LegacyFormView(BaseModel):
    """The organisation that an enterprise has kept; null once it has adapted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"uscc": "91310106MA0000015B", "form": "equity_joint_venture"}]}
    )

    uscc: str
    form: LegacyForm | None
