"""The rows of credit's law, as its files hold them."""

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

CreditList = Literal["abnormal_operation", "serious_illegal_dishonest"]
Kind = Literal["penalty", "commitment_breach", "spot_check_result", "information_report", "other"]
Restriction = Literal["commitment_mode"]
Confidence = Literal["verified", "memory", "doubtful", "own_setting"]
KINDS: frozenset[str] = frozenset(get_args(Kind))
CREDIT_LISTS: tuple[CreditList, ...] = get_args(CreditList)

NOT_OF_RECORDS = "credit_repair"
"""Rows of credit_grounds.csv under this name are rules of repair: no record rests on them."""

LIST_OF_KIND: Mapping[str, str] = {"commitment_breach": "commitment_breach", "penalty": "penalty_publicity"}
"""Grounds of these lists belong to records of this kind alone."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A row of credit_grounds.csv."""

    list: str
    list_zh: str
    ground_code: str
    text: str
    text_zh: str
    authority: str
    trigger: str
    decision_days: str
    duration: str
    removal: str
    effects: str
    basis: str
    source: str
    confidence: Confidence
    detail_confidence: Confidence


@dataclass(frozen=True, slots=True)
class InForce:
    """From when to when a ground holds; a ground without a row holds without a known end."""

    ground_code: str
    valid_from: date | None
    valid_to: date | None
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Deadline:
    """Working days in which something is decided."""

    deadline: Literal["listing_abnormal_operation", "listing_serious_illegal_dishonest", "repair"]
    days: int
    valid_from: date | None
    valid_to: date | None
    source: str
    confidence: Confidence
    note: str


@dataclass(frozen=True, slots=True)
class Term:
    """Months after which something ends by itself, or may be repaired. `concerns`: a list, a ground or a kind."""

    concerns: str
    term: Literal["ends_after", "repair_after"]
    months: int
    source: str
    confidence: Confidence
    note: str


@dataclass(frozen=True, slots=True)
class Measure:
    """The restriction that law attaches to what stands on a ground of `list`."""

    list: str
    restriction: Restriction
    basis: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """A result code of an inspection; `bad`: a spot check with it is a credit record (the district's reading)."""

    code_set: str
    code: str
    result: str
    result_zh: str
    bad: bool
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Policy:
    """The law that credit decides by; `digest` is what a decision records of it."""

    digest: str
    grounds: Mapping[str, Ground]
    in_force: Mapping[str, InForce]
    deadlines: tuple[Deadline, ...]
    terms: Mapping[tuple[str, str], Term]
    measures: tuple[Measure, ...]
    bad_results: Collection[tuple[str, str]]

    def ground_of_record(self, code: str) -> Ground | None:
        """The ground on which a record may rest."""
        ground = self.grounds.get(code)
        return None if ground is None or ground.list == NOT_OF_RECORDS else ground

    def holds(self, code: str, on: date) -> bool:
        """Whether a ground is in force on a day."""
        row = self.in_force.get(code)
        return row is None or (row.valid_from or date.min) <= on <= (row.valid_to or date.max)

    def working_days(self, deadline: str, on: date) -> int:
        """The working days for a decision that begins on a day."""
        return next(
            row.days
            for row in self.deadlines
            if row.deadline == deadline and (row.valid_from or date.min) <= on <= (row.valid_to or date.max)
        )

    def ends_on(self, concerns: str | None, since: date) -> date | None:
        """The day on which something that counts from `since` ends by itself."""
        term = self.terms.get((concerns or "", "ends_after"))
        return None if term is None else add_months(since, term.months)

    def repair_from(self, concerns: str, since: date) -> tuple[date, Term]:
        """The first day on which a repair may be applied for, and the rule that says so."""
        term = self.terms[concerns, "repair_after"]
        return add_months(since, term.months), term


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or the last one where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
