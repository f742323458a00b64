"""What another edition of the list, or another day, means for those who are registered or have applied."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from services.registration.domain.decision import Facts
from services.registration.domain.policy import Coverage, Measure, NegativeList, Policy
from services.registration.domain.screening import Outcome, Screening, screen

Move = Literal["inside", "outside", "changed"]
Asked = tuple[tuple[Measure, ...], Coverage, Decimal | None, Decimal | None, Decimal | None]


@dataclass(frozen=True, slots=True)
class LawOn:
    """The law of a day."""

    policy: Policy
    on: date

    def lists(self) -> list[NegativeList]:
        """The lists in force, one a scope where there is one."""
        return [found for scope in self.policy.negative_lists.values() for found in scope if found.in_force(self.on)]


@dataclass(frozen=True, slots=True)
class Effect:
    """`inside`: the list asks something of it now and did not; `outside`: the other way round; `changed`: it asks
    something else, or the answer is another one. Items by edition and number."""

    move: Move
    before: Outcome
    after: Outcome
    items_before: tuple[str, ...]
    items_after: tuple[str, ...]


def listed(*laws: LawOn) -> frozenset[str] | None:
    """The classes of which a list of these laws asks something: nobody else can be moved. None where a list is missing
    or known only as a whole, so that everybody has to be asked."""
    codes: set[str] = set()
    for law in laws:
        found = law.lists()
        if len(found) < len(law.policy.negative_lists) or not all(one.clauses for one in found):
            return None
        codes.update(*(one.clauses for one in found))
    return frozenset(codes)


def effect(facts: Facts, before: LawOn, after: LawOn) -> Effect | None:
    """How one enterprise or application is moved between two laws; None where it is not."""
    if not facts.structure.foreign_investors:
        return None
    was, is_now = _answer(facts, before), _answer(facts, after)
    asked, asks = _asked(was), _asked(is_now)
    if asked == asks and was.outcome == is_now.outcome:
        return None
    move: Move = "changed" if bool(asked) == bool(asks) else "inside" if asks else "outside"
    return Effect(move, was.outcome, is_now.outcome, _items(was), _items(is_now))


def _answer(facts: Facts, law: LawOn) -> Screening:
    return screen(law.policy, law.on, facts.scope, facts.place, facts.activities, facts.structure)


def _asked(answer: Screening) -> frozenset[Asked]:
    """What the rows ask, whatever their number in their edition; one that only excepts asks nothing."""
    return frozenset(
        (row.measure, row.coverage, row.foreign_cap_pct, row.chinese_min_pct, row.single_foreign_cap_pct)
        for finding in answer.findings
        if (row := finding.entry) and "excepted" not in row.measure
    )


def _items(answer: Screening) -> tuple[str, ...]:
    rows = (finding.entry for finding in answer.findings if finding.entry)
    return tuple(sorted({f"{row.edition}/{row.scope}/{row.item_no}/{row.part}" for row in rows}))
