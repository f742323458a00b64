"""What the topics amount to: facts, scores and classes, worked out again from the events alone.

The rules are those of docs/decisions/0003-facts-packed.md and the scorecard's CSV files; no code is shared.
"""

from __future__ import annotations

import calendar
import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from tests.checker.cloudevents import Event

SCORECARDS = Path(__file__).parents[2] / "services" / "risk" / "policy"
CLASSES = "ABCD"
REGISTERED, TAKEN_OVER = "registration.enterprise_registered.v1", "registration.enterprise_taken_over.v1"
CHANGED = "registration.enterprise_changed.v1"


class Fact(NamedTuple):
    subject: str
    source: str
    sequence: int
    indicator: str
    legal_date: date
    value: int | None
    record_id: str
    event_id: UUID


def facts(event: Event) -> list[Fact] | None:
    """The facts that one event states: none for a type that states none, None where it lacks what it should state."""
    try:
        return list(_facts(event))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None


def _facts(event: Event) -> Iterator[Fact]:
    stated = STATED.get(event.type)
    if stated is not None:
        yield from stated(event, event.data)


def _registered(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    on = data["registered_on"]
    yield _fact(event, "newly_registered", on, 1, f"registration:{event.subject}")
    yield _fact(event, "registered_capital", on, _yuan(data), f"capital:{event.subject}")
    yield _fact(event, "industry_risk", on, int(data["industry"]), f"industry:{event.subject}")
    share = int(Decimal(data["foreign_share"]) * 100)
    yield _fact(event, "foreign_invested", on, share, f"ownership:{event.subject}")
    kind = TYPES.index(data["enterprise_type"]) + 1 if data.get("enterprise_type") in TYPES else None
    yield _fact(event, "entity_type", on, kind, f"entity-type:{event.subject}")
    yield _fact(event, "area", on, _street(data), f"area:{event.subject}")


TYPES = (
    "limited_company", "joint_stock_company", "partnership", "sole_proprietorship", "individual_business",
    "farmers_cooperative",
)  # fmt: skip


def _noticed(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    if data["procedure"] == "simplified":
        record = f"notice:{event.subject}"
        yield _fact(event, "simplified_deregistration_notice", data["requested_on"], 1, record)


def _refused(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    if data["procedure"] == "simplified":
        yield _fact(event, "simplified_deregistration_notice", data["refused_on"], 0, f"notice:{event.subject}")


def _deregistered(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, "simplified_deregistration_notice", data["deregistered_on"], 0, f"notice:{event.subject}")


def _withdrawn(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, "simplified_deregistration_notice", data["withdrawn_on"], 0, f"notice:{event.subject}")


def _changed(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    on, changed = data["changed_on"], data["changed"]
    if "registered_capital" in changed:
        yield _fact(event, "registered_capital", on, _yuan(data), f"capital:{event.subject}")
    if "area" in changed:
        yield _fact(event, "address_changes_12m", on, 1, f"address:{event.id}")
        yield _fact(event, "area", on, _street(data), f"area:{event.subject}")
    if "activities" in changed:
        yield _fact(event, "scope_changes_12m", on, 1, f"scope:{event.id}")
        yield _fact(event, "industry_risk", on, int(data["industry"]), f"industry:{event.subject}")
    if "legal_representative" in changed:
        yield _fact(event, "legal_rep_changes_12m", on, 1, f"legal-representative:{event.id}")


def _revoked(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    if data["reason"].startswith("commitment_"):
        yield _fact(event, "licence_revoked", data["revoked_on"], 1, f"revocation:{data['permit_id']}")
    yield _fact(event, "permits_held", data["revoked_on"], 0, f"permit:{data['permit_id']}")


def _granted(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, "permits_held", data["granted_on"], 1, f"permit:{data['permit_id']}")


def _overdue(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, "corrections_overdue", data["overdue_on"], 1, f"correction:{data['correction_id']}")


def _met(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, "corrections_overdue", data["met_on"], 0, f"correction:{data['correction_id']}")


def _related(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    record = f"related:{data['indicator']}:{data['record']}"
    yield _fact(event, data["indicator"], data["since"], data["value"], record)


def _inspected(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    on, record = data["completed_on"], f"inspection:{data['inspection_id']}"
    if data["problem"]:
        yield _fact(event, "spot_check_fail_3y", on, 1, record)
    if data["refused"]:
        yield _fact(event, "refuses_inspection", on, 1, record)
    yield _fact(event, "unreachable", on, int(data["unreachable"]), f"reached:{event.subject}")


COUNTED = {"commitment_breach": "commitment_breach", "penalty": "penalties_3y"}
ACTIVE = {"abnormal_operation": "abnormal_list_active", "serious_illegal_dishonest": "serious_list_active"}


def _accepted(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    if data["kind"] in COUNTED:
        yield _fact(event, COUNTED[data["kind"]], data["effective_on"], 1, f"credit:{data['record_id']}")


def _repaired(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    if data["granted"] and data["record_kind"] in COUNTED:
        yield _fact(event, COUNTED[data["record_kind"]], data["decided_on"], 0, f"credit:{data['target']}")


def _erased(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, ERASURE, data["erased_on"], 1, f"credit:{data['record_id']}")


def _listed(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, ACTIVE[data["list"]], data["listed_on"], 1, f"listing:{data['listing_id']}")
    if data["list"] == "abnormal_operation":
        record = f"listing-count:{data['listing_id']}"
        yield _fact(event, "abnormal_list_count_3y", data["listed_on"], 1, record)


def _delisted(event: Event, data: dict[str, Any]) -> Iterator[Fact]:
    yield _fact(event, ACTIVE[data["list"]], data["delisted_on"], 0, f"listing:{data['listing_id']}")
    if data["reason"] == "objection_upheld":
        yield _fact(event, ERASURE, data["delisted_on"], 1, f"listing-count:{data['listing_id']}")


ERASURE = "erasure"
STATED: dict[str, Callable[[Event, dict[str, Any]], Iterator[Fact]]] = {
    REGISTERED: _registered,
    TAKEN_OVER: _registered,
    CHANGED: _changed,
    "registration.deregistration_requested.v1": _noticed,
    "registration.deregistration_refused.v1": _refused,
    "registration.enterprise_deregistered.v1": _deregistered,
    "registration.registration_withdrawn.v1": _withdrawn,
    "licensing.permit_granted.v1": _granted,
    "licensing.permit_revoked.v1": _revoked,
    "supervision.correction_overdue.v1": _overdue,
    "supervision.correction_met.v1": _met,
    "risk.related_party_signalled.v1": _related,
    "supervision.inspection_completed.v1": _inspected,
    "credit.record_accepted.v1": _accepted,
    "credit.repair_decided.v1": _repaired,
    "credit.record_erased.v1": _erased,
    "credit.subject_listed.v1": _listed,
    "credit.subject_delisted.v1": _delisted,
}


def _fact(event: Event, indicator: str, on: str, value: int | None, record: str) -> Fact:
    return Fact(event.subject, event.source, event.sequence, indicator, date.fromisoformat(on), value, record, event.id)


def _yuan(data: dict[str, Any]) -> int | None:
    return int(Decimal(data["registered_capital"])) if data["capital_currency"] == "CNY" else None


def _street(data: dict[str, Any]) -> int | None:
    """The nine digits of a street or town; anything coarser is none."""
    code = data.get("area") or ""
    return int(code) if len(code) == 9 and code.isdigit() else None


class Step(NamedTuple):
    low: int | None
    below: int | None
    months: int | None
    points: int
    at_least: str

    def ends(self, fact: Fact) -> date:
        return date.max if self.months is None else months_after(fact.legal_date, self.months)


Rules = dict[str, tuple[str, int, list[Step]]]
"""By name: indicator, cap and steps, youngest first."""


@dataclass(frozen=True, slots=True)
class Card:
    """A scorecard, or a sector's part of one: its rules, the score from which each class begins, and the ranges of the
    main industry that it is for (none: every enterprise)."""

    rules: Rules
    bands: dict[str, int]
    industries: list[tuple[int, int]]
    sectors: list[Card]


def card(name: str, folder: Path = SCORECARDS) -> Card:
    """The scorecard of this name, from its CSV files. Empty: no bound, age limit, trigger, sector."""
    steps: dict[str, list[Step]] = defaultdict(list)
    for row in _rows(folder / name / "steps.csv"):
        low, below, months = (
            int(row[column]) if row[column] else None for column in ("value_from", "value_below", "within_months")
        )
        steps[row["rule"]].append(Step(low, below, months, int(row["points"]), row["at_least"]))
    for found in steps.values():
        found.sort(key=lambda step: step.months or 10_000)
    rules, bands = _rows(folder / name / "rules.csv"), _rows(folder / name / "bands.csv")
    industries: dict[str, list[tuple[int, int]]] = {}
    for row in _rows(folder / name / "sectors.csv"):
        industries.setdefault(row["sector"], []).append((int(row["industry_from"]), int(row["industry_below"])))

    def part(sector: str, sectors: list[Card]) -> Card:
        return Card(
            {
                row["rule"]: (row["indicator"], int(row["cap"]), steps[row["rule"]])
                for row in rules
                if row["sector"] == sector
            },
            {row["risk_class"]: int(row["from_score"]) for row in bands if row["sector"] == sector},
            industries.get(sector, []),
            sectors,
        )

    return part("", [part(sector, []) for sector in industries])


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Standing:
    """What an enterprise stands at on a date; `next_step_on` is the first day on which a fact leaves its step."""

    score: int
    risk_class: str
    next_step_on: date | None
    points: dict[str, int]


def standing(events: Iterable[Event], on: date, by: Card) -> Standing:
    """Replay the events of one enterprise, in any order and with any repeats."""
    stated = {fact for event in events for fact in facts(event) or ()}
    erased = {fact.record_id for fact in stated if fact.indicator == ERASURE}
    stated = {fact for fact in stated if fact.record_id not in erased}
    newest: dict[tuple[str, str], int] = {}
    for fact in stated:
        record = fact.source, fact.record_id
        newest[record] = max(fact.sequence, newest.get(record, 0))
    live = [fact for fact in stated if fact.sequence == newest[fact.source, fact.record_id]]
    industry = [fact.value for fact in live if fact.indicator == "industry_risk" and fact.value is not None]
    general = _judged(live, on, by)
    judged = [general]
    for sector in by.sectors:
        if any(low <= value < below for value in industry for low, below in sector.industries):
            judged.append(_judged(live, on, sector))
    ends = [one.next_step_on for one in judged if one.next_step_on is not None]
    return Standing(general.score, max(one.risk_class for one in judged), min(ends, default=None), general.points)


def _judged(live: list[Fact], on: date, by: Card) -> Standing:
    points: dict[str, int] = {}
    least, ends = "A", []
    for rule, (indicator, cap, steps) in by.rules.items():
        reached = [
            (fact, step) for fact in live if fact.indicator == indicator for step in [_step(steps, fact, on)] if step
        ]
        ends += [step.ends(fact) for fact, step in reached if step.months is not None]
        least = max([least, *(step.at_least for _, step in reached if step.at_least)])
        if any(step.points or step.at_least for _, step in reached):
            points[rule] = min(cap, sum(step.points for _, step in reached))
    score = sum(points.values())
    by_score = max(letter for letter, begins in by.bands.items() if begins <= score)
    return Standing(score, max(by_score, least), min(ends, default=None), points)


def _step(steps: list[Step], fact: Fact, on: date) -> Step | None:
    """The youngest step whose band holds the value and whose age is not over."""
    if fact.value is None:
        return None
    for step in steps:
        above = step.low is None or step.low <= fact.value
        if above and (step.below is None or fact.value < step.below) and on < step.ends(fact):
            return step
    return None
