"""Screening against the negative list of the day: every row in force that holds a class, the worst answer wins.

Who decides: only a verified row decides alone. One that is unmet refuses where it catches the whole class (`full`) and
goes to a person where it catches a part; one that is met never objects. A row from memory, or one whose text is
doubtful, goes to a person whenever it matches. Pilots and treaty terms turn a refusal into a review, never further.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.registration.domain.measures import Answer, Case, Reason, Verdict, judge
from services.registration.domain.policy import Clause, Edition, Entry, NegativeList, Pilot, Policy, Scope
from services.registration.domain.policy import TreatyPreference as Preference
from services.registration.domain.structure import Investor, Structure

Outcome = Literal["accepted", "review", "refused"]

_SEVERITY: dict[Outcome, int] = {"accepted": 0, "review": 1, "refused": 2}
_FORMS_OF_ONE_OWNER = frozenset({"sole_proprietorship", "individual_business", "farmers_cooperative"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one row of the list (or, without a row, a general rule) says. `reasons`: the measure's first, then why a
    person decides. `relief`: ids of the pilots and treaty preferences that soften a refusal."""

    outcome: Outcome
    verdict: Verdict
    reasons: tuple[Reason, ...]
    activity: str | None = None
    entry: Entry | None = None
    edition: Edition | None = None
    relief: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer of an application: the worst of its findings; the edition is None where none is in force."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    edition: Edition | None


@dataclass(frozen=True, slots=True)
class _Question:
    """What stays the same while the rows are asked."""

    policy: Policy
    edition: Edition
    on: date
    place: str
    structure: Structure


def screen(
    policy: Policy, on: date, scope: Scope, place: str, activities: Sequence[str], structure: Structure
) -> Screening:
    """Screen class codes of GB/T 4754 and a structure against the list of `scope` in force on the day `on`.

    `place` is the division code of the enterprise. Shares must sum to 100 (see application.faults).
    Source: negative lists 2017-2024 with their general notes; Foreign Investment Law and Implementing Regulations.
    """
    if not structure.foreign_investors:
        return Screening("accepted", (Finding("accepted", "met", ("not_screened_domestic",)),), None)
    listed = next((found for found in policy.negative_lists[scope] if found.in_force(on)), None)
    if listed is None:
        return Screening("review", (Finding("review", "undecidable", ("no_edition_in_force",)),), None)
    findings = [*_on_form(policy, on, listed.edition, structure)]
    if not listed.clauses:
        findings.append(Finding("review", "undecidable", ("edition_not_itemised",), edition=listed.edition))
    if structure.treaty_claim is not None:
        findings.append(Finding("review", "undecidable", ("treaty_claim_to_examine",), edition=listed.edition))
    findings.extend(_on_activities(policy, on, listed, place, activities, structure))
    return Screening(worst(finding.outcome for finding in findings), tuple(findings), listed.edition)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst answer of all is the answer of the application."""
    return max(outcomes, key=_SEVERITY.__getitem__, default="accepted")


def _on_form(policy: Policy, on: date, edition: Edition, structure: Structure) -> Iterable[Finding]:
    """A foreign investor may be no sole proprietor, individual business or member of a farmers' cooperative.

    Residents of Hong Kong, Macao and Taiwan may register an individual business: a person looks at the proof of
    citizenship or residence. An investor that is foreign only as an FIE is never refused by that reading alone.
    """
    if structure.enterprise_type not in _FORMS_OF_ONE_OWNER:
        return
    individual_business = structure.enterprise_type == "individual_business"
    refused = [
        investor
        for investor in structure.foreign_investors
        if not investor.is_fie and not (individual_business and _may_trade_alone(policy, on, investor))
    ]
    if refused:
        yield Finding("refused", "unmet", ("form_closed_to_foreign_investors",), edition=edition)
        return
    reason: Reason = "fie_not_looked_through" if structure.has_fie else "individual_business_by_compatriots"
    yield Finding("review", "undecidable", (reason,), edition=edition)


def _may_trade_alone(policy: Policy, on: date, investor: Investor) -> bool:
    if investor.kind != "natural":
        return False
    return investor.country == "CN" or any(
        preference.subject == "individual_business"
        and preference.outcome == "review"
        and _valid(preference, on)
        and _of_origin(preference, investor)
        for preference in policy.treaty_preferences
    )


def _on_activities(
    policy: Policy, on: date, listed: NegativeList, place: str, activities: Sequence[str], structure: Structure
) -> Iterable[Finding]:
    question: _Question | None = None
    for code in activities:
        for clause in listed.clauses.get(code, ()):
            entries = [entry for entry in clause.entries if entry.in_force(on)]
            if entries:
                question = question or _Question(policy, listed.edition, on, place, structure)
                yield from _on_clause(question, code, clause, entries)


def _on_clause(question: _Question, code: str, clause: Clause, entries: Sequence[Entry]) -> Iterable[Finding]:
    answers = [_ask(question, code, entry) for entry in entries]
    verdict = _combined(clause, [found for found, _ in answers])
    outcome, why = _decided(question, clause, entries, verdict)
    for entry, (found, reasons) in zip(entries, answers, strict=True):
        relief: tuple[str, ...] = ()
        outcome_of_row, notes = outcome, why
        if outcome == "refused" and (softened := _relief(question, code, entry)):
            relief, softening = softened
            outcome_of_row, notes = "review", (*why, *softening)
        yield Finding(outcome_of_row, found, (*reasons, *notes), code, entry, question.edition, relief)


def _ask(question: _Question, code: str, entry: Entry) -> tuple[Verdict, tuple[Reason, ...]]:
    """All measures of a row must be met. A row that is unmet only because an FIE counts as foreign is undecidable."""
    structure = question.structure
    definitions = question.policy.control_definitions
    verdict, reasons = _all_of(entry, Case(entry, code, structure, structure.holding, definitions))
    if verdict == "unmet" and structure.has_fie:
        lenient, _ = _all_of(entry, Case(entry, code, structure, structure.holding_without_fie, definitions))
        if lenient != "unmet":
            return "undecidable", (*reasons, "fie_not_looked_through")
    return verdict, reasons


def _all_of(entry: Entry, case: Case) -> tuple[Verdict, tuple[Reason, ...]]:
    answers = [judge(measure, case) for measure in entry.measure]
    verdict = _strictest(answers)
    return verdict, tuple(answer.reason for answer in answers if answer.verdict == verdict)


def _strictest(answers: Sequence[Answer]) -> Verdict:
    verdicts = {answer.verdict for answer in answers}
    return "unmet" if "unmet" in verdicts else "undecidable" if "undecidable" in verdicts else "met"


def _combined(clause: Clause, verdicts: Sequence[Verdict]) -> Verdict:
    """`choice`: one met row is enough. `activity`: the actual activity decides, so a mixture is undecidable."""
    if clause.alternatives == "choice" and "met" in verdicts:
        return "met"
    return verdicts[0] if len(set(verdicts)) == 1 else "undecidable"


def _decided(
    question: _Question, clause: Clause, entries: Sequence[Entry], verdict: Verdict
) -> tuple[Outcome, tuple[Reason, ...]]:
    """What a verdict on a clause means, and why a person decides where one does."""
    why: list[Reason] = []
    if any(entry.confidence == "memory" for entry in entries):
        why.append("from_memory")
    if any(entry.confidence == "doubtful" for entry in entries):
        why.append("doubtful_text")
    if clause.alternatives == "activity" and verdict == "undecidable":
        why.append("activity_decides")
    # The rows of an activity group are partial one by one and exhaust the class together.
    whole_class = clause.alternatives == "activity" or all(entry.coverage == "full" for entry in entries)
    if verdict == "unmet" and not whole_class:
        why.append("partial_coverage")
    if verdict == "unmet" and not why:
        return "refused", ()
    if _needs_access_permit(question, entries):
        why.append("access_permit")
    if question.structure.has_fie and verdict == "met" and not any("excepted" in entry.measure for entry in entries):
        why.append("fie_investor")
    return ("accepted" if verdict == "met" and not why else "review"), tuple(why)


def _needs_access_permit(question: _Question, entries: Sequence[Entry]) -> bool:
    """The notes of 2018 and 2019 put listed fields that are not prohibited under commerce approval (to 2019-12-31)."""
    last_day = question.edition.access_permit_to
    return (
        last_day is not None
        and question.on <= last_day
        and not any(measure in ("prohibited", "excepted") for entry in entries for measure in entry.measure)
    )


def _relief(question: _Question, code: str, entry: Entry) -> tuple[tuple[str, ...], tuple[Reason, ...]] | None:
    """The pilots and treaty preferences that soften the refusal of one row to a review; None where there are none."""
    ids: list[str] = []
    reasons: list[Reason] = []
    for pilot in question.policy.pilots:
        if _names(pilot, entry, code, question.place) and question.edition.scope in pilot.scope:
            if pilot.effective_from <= question.on and _not_ended(pilot.effective_to, question.on):
                ids.append(pilot.pilot_id)
                reasons.append("pilot_applies")
            elif pilot.date_confidence == "doubtful" and pilot.announced <= question.on < pilot.effective_from:
                ids.append(pilot.pilot_id)
                reasons.append("pilot_date_doubtful")
    if preferred := _preferred(question, code, entry):
        ids.extend(preferred)
        reasons.append("treaty_preference_applies")
    return (tuple(ids), tuple(dict.fromkeys(reasons))) if ids else None


def _preferred(question: _Question, code: str, entry: Entry) -> list[str]:
    """Preferences under which every foreign investor of the structure has better terms for this row; else none."""
    ids: list[str] = []
    for investor in question.structure.foreign_investors:
        fitting = [
            preference
            for preference in question.policy.treaty_preferences
            if preference.subject == "list_item"
            and _valid(preference, question.on)
            and _of_origin(preference, investor)
            and _names(preference, entry, code, question.place)
            and _condition_holds(preference, question.structure)
        ]
        if not fitting or any(preference.outcome == "none" for preference in fitting):
            return []
        ids.extend(preference.pref_id for preference in fitting)
    return list(dict.fromkeys(ids))


def _condition_holds(preference: Preference, structure: Structure) -> bool:
    """The general clause (any item) needs a claim by the applicant; the named ones their Chinese minimum, if any."""
    if preference.item_key == ("*",) and structure.treaty_claim is None:
        return False
    minimum = preference.chinese_min_pct
    return minimum is None or structure.holding.chinese >= minimum


def _names(rule: Pilot | Preference, entry: Entry, code: str, place: str) -> bool:
    return (
        (rule.item_key == ("*",) or entry.item_key in rule.item_key)
        and (not rule.gbt4754_codes or code in rule.gbt4754_codes)
        and (not rule.place_prefixes or place.startswith(rule.place_prefixes))
    )


def _of_origin(preference: Preference, investor: Investor) -> bool:
    kind = "individual" if investor.kind == "natural" else "enterprise"
    return preference.investor_kind in ("any", kind) and (
        preference.investor_origin == ("*",) or investor.country in preference.investor_origin
    )


def _valid(preference: Preference, on: date) -> bool:
    return (preference.effective_from is None or preference.effective_from <= on) and _not_ended(
        preference.effective_to, on
    )


def _not_ended(last_day: date | None, on: date) -> bool:
    return last_day is None or on <= last_day
