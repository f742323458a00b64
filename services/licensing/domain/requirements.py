"""Which permits and filings an enterprise needs: by its activities, what it has answered, its capital and the day.

Source: 国发〔2021〕7号 and the statutes that each row names. A row applies if the day lies within its dates, a trigger
matches (without triggers the fact alone decides) and its condition holds, of which any one fact is enough.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from services.licensing.domain.catalogue import Capital, Catalogue, PermitItem

Due = Literal["yes", "conditional", "no"]
"""`no` is a cancelled item: it is shown, and no permit may be demanded."""

CAPITALS: tuple[Capital, ...] = ("domestic", "hk_mo_tw", "foreign")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a determination rests on. `answers`: the questions that were answered; `capital` None: not known."""

    activities: tuple[str, ...]
    answers: Mapping[str, bool] = field(default_factory=dict)
    capital: Capital | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A row that applies. `triggers`: (activity, prefix that matches it); `holds`: the facts by which its condition is
    met; `questions`: the facts whose answer decides, where none is met. `blocks`: the business waits for it."""

    row: PermitItem
    due: Due
    triggers: tuple[tuple[str, str], ...]
    holds: tuple[str, ...]
    questions: tuple[str, ...]
    blocks: bool


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two facts that rule each other out were both affirmed, or both denied where one must hold."""

    fact: str
    other: str


def requirements(facts: Facts, on: date, catalogue: Catalogue) -> tuple[Requirement, ...]:
    """Every row of the catalogue that applies, in its order: due, conditional on a question, or cancelled."""
    answers = answered(facts, catalogue)
    found = (_requirement(row, facts.activities, answers, catalogue) for row in catalogue.items if row.in_force(on))
    return tuple(requirement for requirement in found if requirement is not None)


def answered(facts: Facts, catalogue: Catalogue) -> dict[str, bool]:
    """The answers with all that follows from them: what the capital says, and what one answer says of another. An
    answer that was given stands as it is."""
    answers = dict(facts.answers)
    if facts.capital is not None:
        answers.update({f"capital_{kind}": kind == facts.capital for kind in CAPITALS})
    for code, holds in tuple(answers.items()):
        condition = catalogue.conditions.get(code)
        for other in condition.excludes if condition else ():
            if holds or (condition and condition.exhaustive):
                answers.setdefault(other, not holds)
    return answers


def contradictions(answers: Mapping[str, bool], catalogue: Catalogue) -> Iterator[Contradiction]:
    """Pairs of answers that cannot both be true."""
    for code, holds in sorted(answers.items()):
        condition = catalogue.conditions.get(code)
        for other in condition.excludes if condition else ():
            both = code < other and answers.get(other) == holds
            if both and (holds or (condition and condition.exhaustive)):
                yield Contradiction(code, other)


def uncovered(activities: tuple[str, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """Activities of which no row of the catalogue speaks, in any year: nothing is known, which is not that nothing is
    needed."""
    return tuple(code for code in activities if not any(row.triggered_by(code) for row in catalogue.items))


def _requirement(
    row: PermitItem, activities: tuple[str, ...], answers: Mapping[str, bool], catalogue: Catalogue
) -> Requirement | None:
    matches = ((activity, row.triggered_by(activity)) for activity in activities)
    triggers = tuple((activity, prefix) for activity, prefix in matches if prefix is not None)
    if row.trigger_gbt4754_codes and not triggers:
        return None
    holds = tuple(code for code in row.condition if answers.get(code))
    open_questions = tuple(code for code in row.condition if code not in answers)
    if row.condition and not holds and not open_questions:
        return None
    asks = bool(row.condition) and not holds
    due: Due = "no" if row.status == "cancelled" else "conditional" if asks else "yes"
    blocks = due == "yes" and catalogue.blocks_start(row)
    return Requirement(row, due, triggers, holds, open_questions if asks else (), blocks)
