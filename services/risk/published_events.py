"""What risk says: the class, the score and the codes of its reasons. Internal: never to applicants, never public."""

from datetime import date
from typing import ClassVar, Literal

from libs.common.envelope import Event

ClassLetter = Literal["A", "B", "C", "D"]
RelatedIndicator = Literal[
    "related_serious_list", "legal_representative_risk", "actual_controller_risk", "shared_address_density"
]
LETTERS: tuple[ClassLetter, ...] = ("A", "B", "C", "D")


class ClassChanged(Event, frozen=True, kw_only=True):
    """The class of an enterprise is announced: `before` is null the first time. `reasons` are the scorecard's rules."""

    type: ClassVar[str] = "risk.class_changed.v1"
    subject_kind: ClassVar[str] = "uscc"

    risk_class: ClassLetter
    before: ClassLetter | None
    score: int
    reasons: tuple[str, ...]
    assessed_on: date
    scorecard: str


class RelatedPartySignalled(Event, frozen=True, kw_only=True):
    """Something about others bears on this enterprise: risk hears it itself, as one more fact of the enterprise.

    `record`: the other enterprise, or `domicile`; a later signal of the same record replaces it, with `value` 0 where
    it holds no more. `since`: the legal date. It names no other enterprise's class and no person.
    """

    type: ClassVar[str] = "risk.related_party_signalled.v1"
    subject_kind: ClassVar[str] = "uscc"

    indicator: RelatedIndicator
    record: str
    value: int
    since: date


PUBLISHED = (ClassChanged, RelatedPartySignalled)
