"""What each measure of the negative list asks of a structure, and whether it is met.

Sources: Provisions guiding foreign investment (Order 346, 2002) Art 8 for control and relative control; the general
notes of the lists for partnerships; the wording of the items for caps, which are inclusive.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from services.registration.domain.policy import ControlDefinition, Entry, Measure
from services.registration.domain.structure import COMPATRIOT_REGIONS, Holding, Structure

Verdict = Literal["met", "undecidable", "unmet"]
Reason = Literal[
    "met",
    "excepted",
    "prohibited",
    "foreign_share_above_cap",
    "chinese_share_below_minimum",
    "chinese_control_missing",
    "chinese_control_below_definition",
    "chinese_control_definition_disputed",
    "chinese_relative_control_missing",
    "single_foreign_share_above_cap",
    "chinese_party_missing",
    "legal_representative_not_chinese",
    "legal_representative_citizenship_to_show",
    "partnership_in_equity_sector",
    "partnership_in_joint_venture_sector",
    "cooperative_education_to_examine",
    "chinese_leadership_to_examine",
    "head_of_school_to_examine",
    "joint_venture_count_to_examine",
    "wto_commitment_to_examine",
    "partial_coverage",
    "activity_decides",
    "from_memory",
    "doubtful_text",
    "access_permit",
    "fie_investor",
    "fie_not_looked_through",
    "pilot_applies",
    "pilot_date_doubtful",
    "treaty_preference_applies",
    "treaty_claim_to_examine",
    "not_screened_domestic",
    "no_edition_in_force",
    "edition_not_itemised",
    "form_closed_to_foreign_investors",
    "individual_business_by_compatriots",
]

EQUITY_MEASURES: frozenset[Measure] = frozenset(
    {"chinese_controlled", "chinese_relative_control", "equity_cap", "single_foreign_cap"}
)


class Answer(NamedTuple):
    verdict: Verdict
    reason: Reason


class Case(NamedTuple):
    """One row of the list put to one structure, for one class code."""

    entry: Entry
    code: str
    structure: Structure
    holding: Holding
    definitions: tuple[ControlDefinition, ...]


MET = Answer("met", "met")


def judge(measure: Measure, case: Case) -> Answer:
    """Whether the structure meets the measure, misses it, or leaves it to a person.

    In a sector with an equity requirement no foreign-invested partnership may be formed; whether "joint venture only"
    is such a requirement is doubtful, so that question goes to a person.
    """
    if not case.holding.foreign:
        return MET
    if case.structure.enterprise_type == "partnership" and measure in EQUITY_MEASURES:
        return Answer("unmet", "partnership_in_equity_sector")
    return _MEASURES[measure](case)


def _prohibited(_: Case) -> Answer:
    return Answer("unmet", "prohibited")


def _excepted(_: Case) -> Answer:
    return Answer("met", "excepted")


def _equity_cap(case: Case) -> Answer:
    entry, holding = case.entry, case.holding
    if entry.foreign_cap_pct is not None and holding.foreign > entry.foreign_cap_pct:
        return Answer("unmet", "foreign_share_above_cap")
    if entry.chinese_min_pct is not None and holding.chinese < entry.chinese_min_pct:
        return Answer("unmet", "chinese_share_below_minimum")
    return MET


def _single_foreign_cap(case: Case) -> Answer:
    cap = case.entry.single_foreign_cap_pct
    if cap is not None and case.holding.largest_foreign_with_affiliates > cap:
        return Answer("unmet", "single_foreign_share_above_cap")
    return MET


def _chinese_controlled(case: Case) -> Answer:
    """At least 51 percent. Above 50 and below 51 another definition is satisfied: it is named, and where it was
    written for the sector (civil aviation), a person decides."""
    chinese, minimum = case.holding.chinese, case.entry.chinese_min_pct
    if minimum is None or chinese >= minimum:
        return MET
    satisfied = [definition for definition in case.definitions if definition.satisfied_by(chinese)]
    if any(case.code.startswith(definition.gbt4754_prefixes) for definition in satisfied):
        return Answer("undecidable", "chinese_control_definition_disputed")
    return Answer("unmet", "chinese_control_below_definition" if satisfied else "chinese_control_missing")


def _chinese_relative_control(case: Case) -> Answer:
    """The Chinese parties together hold more than each foreign investor taken singly; nothing is looked through."""
    if case.holding.chinese > case.holding.largest_foreign:
        return MET
    return Answer("unmet", "chinese_relative_control_missing")


def _with_chinese_party(case: Case) -> Answer:
    if not case.holding.chinese:
        return Answer("unmet", "chinese_party_missing")
    if case.structure.enterprise_type == "partnership":
        return Answer("undecidable", "partnership_in_joint_venture_sector")
    return MET


def _legal_rep_chinese(case: Case) -> Answer:
    """Nationality, not residence: a resident of Hong Kong, Macao or Taiwan may be a Chinese citizen, so ask."""
    nationality = case.structure.legal_representative_nationality
    if nationality == "CN":
        return MET
    if nationality in COMPATRIOT_REGIONS:
        return Answer("undecidable", "legal_representative_citizenship_to_show")
    return Answer("unmet", "legal_representative_not_chinese")


def _to_examine(reason: Reason) -> Callable[[Case], Answer]:
    """Measures that shares and nationality do not decide."""
    answer = Answer("undecidable", reason)
    return lambda _: answer


_MEASURES: dict[Measure, Callable[[Case], Answer]] = {
    "prohibited": _prohibited,
    "chinese_controlled": _chinese_controlled,
    "chinese_relative_control": _chinese_relative_control,
    "equity_cap": _equity_cap,
    "single_foreign_cap": _single_foreign_cap,
    "joint_venture_only": _with_chinese_party,
    "cooperation_only": _with_chinese_party,
    "legal_rep_chinese": _legal_rep_chinese,
    "cooperative_education": _to_examine("cooperative_education_to_examine"),
    "chinese_led": _to_examine("chinese_leadership_to_examine"),
    "head_of_school_chinese": _to_examine("head_of_school_to_examine"),
    "joint_venture_count_cap": _to_examine("joint_venture_count_to_examine"),
    "wto_commitment_scope": _to_examine("wto_commitment_to_examine"),
    "excepted": _excepted,
}
