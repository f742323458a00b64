"""What risk says: the class, the score and the codes of its reasons. Internal: never to applicants, never public."""

from datetime import date
from typing import ClassVar, Literal

from libs.common.envelope import Event

ClassLetter = Literal["A", "B", "C", "D"]
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


PUBLISHED = (ClassChanged,)
