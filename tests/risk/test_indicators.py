"""Every indicator: stated by an event and scored, or shown as missing because nobody states it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.lobby import names
from services.risk import scorecards
from services.risk.domain import PRODUCED, Fact, assess, facts_of
from services.risk.domain.scorecard import WEIGHTLESS
from services.risk.policy.indicators import indicators, without_producer
from services.risk.schemas.explanation import ExplanationView

USCC = "91310106MA1FY00X0X"
ON = date(2026, 3, 1)
CARD = scorecards.shipped()
ID = UUID(int=7)

Said = tuple[str, Mapping[str, Any]]


def registered(**other: Any) -> Said:
    """An old enterprise with much capital, in an industry without points: nothing of it scores."""
    return "registration.enterprise_registered.v1", {
        "registered_on": date(2015, 1, 5), "industry": "7249", "registered_capital": "50000000",
        "capital_currency": "CNY", "foreign_share": "0", "enterprise_type": "limited_company", **other,
    }  # fmt: skip


def changed(item: str, **values: Any) -> Said:
    return "registration.enterprise_changed.v1", {"changed_on": ON, "changed": [item], **values}


def inspected(**found: bool) -> Said:
    result = {"problem": False, "refused": False, "unreachable": False, **found}
    return "supervision.inspection_completed.v1", {"inspection_id": ID, "completed_on": ON, **result}


def listed(name: str) -> Said:
    return "credit.subject_listed.v1", {"listing_id": ID, "list": name, "listed_on": ON}


def record(kind: str) -> Said:
    return "credit.record_accepted.v1", {"record_id": ID, "kind": kind, "effective_on": ON}


def signal(indicator: str, value: int = 1) -> Said:
    about = {"indicator": indicator, "record": "91310106MA0000015B", "value": value, "since": ON}
    return "risk.related_party_signalled.v1", about


REVOKED: Said = (
    "licensing.permit_revoked.v1", {"permit_id": ID, "reason": "commitment_unkept", "revoked_on": ON}
)  # fmt: skip
STATED: Mapping[str, Said] = {
    "age_years": registered(registered_on=ON),
    "registered_capital": registered(registered_capital="500000"),
    "industry_risk": registered(industry="6210"),
    "entity_type": registered(enterprise_type="individual_business"),
    "foreign_invested": registered(foreign_share="100"),
    "legal_representative_risk": signal("legal_representative_risk"),
    "permits_held": REVOKED,
    "address_changes_12m": changed("area"),
    "legal_rep_changes_12m": changed("legal_representative"),
    "scope_changes_12m": changed("activities", industry="7249"),
    "simplified_deregistration_notice": (
        "registration.deregistration_requested.v1", {"procedure": "simplified", "requested_on": ON}
    ),
    "abnormal_list_active": listed("abnormal_operation"),
    "abnormal_list_count_3y": listed("abnormal_operation"),
    "serious_list_active": listed("serious_illegal_dishonest"),
    "penalties_3y": record("penalty"),
    "commitment_breach": record("commitment_breach"),
    "spot_check_fail_3y": inspected(problem=True),
    "corrections_overdue": ("supervision.correction_overdue.v1", {"correction_id": ID, "overdue_on": ON}),
    "refuses_inspection": inspected(refused=True),
    "unreachable": inspected(unreachable=True),
    "licence_revoked": REVOKED,
    "related_serious_list": signal("related_serious_list"),
    "shared_address_density": signal("shared_address_density", 50),
    "actual_controller_risk": signal("actual_controller_risk"),
}  # fmt: skip
"""One event for each indicator that has a producer."""


def facts(*said: Said) -> tuple[Fact, ...]:
    return tuple(
        fact
        for sequence, (type, data) in enumerate(said, 1)
        for fact in facts_of(
            data, event_type=type, source=f"/jingan/{type.partition('.')[0]}", subject=USCC, sequence=sequence,
            event_id=UUID(int=sequence), stated_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
    )  # fmt: skip


def with_it(said: Said) -> tuple[Fact, ...]:
    """A registration itself states it, or something that is said later."""
    return facts(said) if said[0] == registered()[0] else facts(registered(), said)


def points(stated: Sequence[Fact], indicator: str) -> int:
    rules = {rule.name: rule.indicator for rule in CARD.rules}
    judged = assess(stated, ON, CARD)
    return sum(part.points for part in judged.contributions if rules[part.rule] == indicator)


def test_each_indicator_has_a_producer_here_or_is_said_to_have_none() -> None:
    everything = {row.indicator for row in indicators().values()}
    nobody = {row.indicator for row in without_producer()}
    assert set(STATED) == everything - nobody
    assert {row.fact for row in indicators().values() if row.fact} == PRODUCED - {"area"}


@pytest.mark.parametrize("name", STATED)
def test_what_an_event_states_is_scored_and_demands_the_class_that_its_row_names(name: str) -> None:
    (row,) = [row for row in indicators().values() if row.indicator == name]
    assert row.fact is not None
    nothing, something = assess(facts(registered()), ON, CARD), assess(with_it(STATED[name]), ON, CARD)
    assert nothing.score == 0
    assert row.fact in {fact.indicator for fact in with_it(STATED[name])}
    if name in WEIGHTLESS:
        assert something == nothing
        return
    assert 0 < points(with_it(STATED[name]), row.fact) <= something.score
    demanded = {part.at_least.name for part in something.contributions if part.at_least and part.rule == row.fact}
    assert demanded == ({row.direct_class} if row.direct_class else set())


@pytest.mark.parametrize("row", without_producer(), ids=lambda row: row.indicator)
def test_what_nobody_states_is_shown_as_missing_and_nothing_takes_its_weight_over(row: Any) -> None:
    assert row.indicator not in PRODUCED
    shown = ExplanationView.of(USCC, facts(registered()), ON, CARD, None, None)
    assert {one.why for one in shown.missing if one.indicator == row.indicator} == {"no_producer"}
    assert row.indicator not in {rule.indicator for rule in CARD.all_rules}, "no rule waits with points for it"


def test_every_rule_of_the_scorecard_reads_an_indicator_that_somebody_states() -> None:
    assert {rule.indicator for rule in CARD.all_rules} == {row.fact for row in indicators().values() if row.fact}


def test_every_rule_of_the_scorecard_has_a_name_on_the_pages() -> None:
    path = Path(names.__file__).parent / "policy" / "names.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        named = {row["code"] for row in csv.DictReader(lines) if row["kind"] == "risk_rule"}
    assert named >= {rule.name for rule in CARD.all_rules}


@pytest.mark.parametrize("name", sorted(set(STATED) - WEIGHTLESS))
def test_foreign_ownership_flipped_changes_nothing_beside_any_other_indicator(name: str) -> None:
    type, data = STATED[name]
    if type == registered()[0]:
        domestic, foreign = (facts((type, {**data, "foreign_share": share})) for share in ("0", "100"))
    else:
        domestic, foreign = (facts(registered(foreign_share=share), STATED[name]) for share in ("0", "100"))
    assert domestic != foreign
    assert assess(domestic, ON, CARD) == assess(foreign, ON, CARD)
