"""The states of an application, and which act leads from one to another. What is not in the table cannot be done.

Sources: Market Entity Registration Regulations Art 19 (decision on the spot or by an officer); the way back to the
applicant and its end are the district's own procedure.
"""

from collections.abc import Mapping
from typing import Literal

from services.registration.domain.screening import Outcome

Status = Literal[
    "registered", "in_review", "awaiting_signatures", "corrections_requested", "refused", "withdrawn", "lapsed"
]
Act = Literal[
    "judge_accepted", "judge_review", "judge_refused", "await_signatures", "sign_accepted", "sign_review",
    "sign_refused", "register", "refuse", "request_corrections", "withdraw", "lapse",
]  # fmt: skip
DecidedBy = Literal["screening", "officer", "applicant", "time"]

TRANSITIONS: Mapping[tuple[Status | None, Act], Status] = {
    (None, "judge_accepted"): "registered",
    (None, "judge_review"): "in_review",
    (None, "judge_refused"): "refused",
    (None, "await_signatures"): "awaiting_signatures",
    ("awaiting_signatures", "sign_accepted"): "registered",
    ("awaiting_signatures", "sign_review"): "in_review",
    ("awaiting_signatures", "sign_refused"): "refused",
    ("awaiting_signatures", "withdraw"): "withdrawn",
    ("awaiting_signatures", "lapse"): "lapsed",
    ("in_review", "register"): "registered",
    ("in_review", "refuse"): "refused",
    ("in_review", "request_corrections"): "corrections_requested",
    ("in_review", "withdraw"): "withdrawn",
    ("corrections_requested", "judge_accepted"): "registered",
    ("corrections_requested", "judge_review"): "in_review",
    ("corrections_requested", "judge_refused"): "refused",
    ("corrections_requested", "await_signatures"): "awaiting_signatures",
    ("corrections_requested", "withdraw"): "withdrawn",
    ("corrections_requested", "lapse"): "lapsed",
}
"""`None` is an application that is not there yet."""

JUDGED: Mapping[Outcome, Act] = {"accepted": "judge_accepted", "review": "judge_review", "refused": "judge_refused"}
"""The act that the screening of a form is."""

SIGNED: Mapping[Outcome, Act] = {"accepted": "sign_accepted", "review": "sign_review", "refused": "sign_refused"}
"""The act that the last signature is: the form is judged again, by the law of that day."""

ENDS: frozenset[Status] = frozenset({"registered", "refused", "withdrawn", "lapsed"})


class ActClosed(Exception):
    """The application is in a state from which this act does not lead anywhere."""

    def __init__(self, status: Status | None, act: Act) -> None:
        super().__init__(f"{act} from {status}")
        self.status, self.act = status, act


def arriving(outcome: Outcome, *, signatures_missing: bool) -> Act:
    """What the law refuses is refused at once; the rest waits until everybody has signed."""
    return "await_signatures" if signatures_missing and outcome != "refused" else JUDGED[outcome]


def after(status: Status | None, act: Act) -> Status:
    """The state that the act leads to. Raises ActClosed."""
    try:
        return TRANSITIONS[status, act]
    except KeyError:
        raise ActClosed(status, act) from None


def is_open(status: Status | None, act: Act) -> bool:
    return (status, act) in TRANSITIONS
