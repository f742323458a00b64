"""What follows on a registration at others' (seal, tax, social insurance, provident fund, bank): handed over once and
followed until it is done. Which matters there are and their days are the district's own setting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Matter = Literal["seal", "tax", "social_insurance", "provident_fund", "bank_account"]
State = Literal["handed_over", "accepted", "done", "returned"]
Answer = Literal["accepted", "done", "returned"]

ANSWERS: Mapping[tuple[State, Answer], State] = {
    ("handed_over", "accepted"): "accepted",
    ("handed_over", "done"): "done",
    ("handed_over", "returned"): "returned",
    ("accepted", "done"): "done",
    ("accepted", "returned"): "returned",
}


@dataclass(frozen=True, slots=True)
class FollowOn:
    """A matter and who handles it; `days`: working days after which the window asks."""

    matter: Matter
    name_zh: str
    name_en: str
    handled_by_zh: str
    handled_by_en: str
    days: int
    source: str
    confidence: Literal["own_setting"]


class AlreadyHandedOver(Exception):
    """The matter is under way, or done."""


class Settled(Exception):
    """The matter is done or returned: nothing more is answered."""


def after(state: State, answer: Answer) -> State:
    """Raises Settled."""
    if (state, answer) not in ANSWERS:
        raise Settled
    return ANSWERS[state, answer]
