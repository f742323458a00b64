"""The table of an application's states: what leads where, who gets there, and that every way has an end."""

from typing import get_args

import pytest

from services.registration.domain import states
from services.registration.domain.states import Act, Status
from services.registration.messages import messages

EVERY_STATUS: tuple[Status, ...] = get_args(Status)
EVERY_ACT: tuple[Act, ...] = get_args(Act)


@pytest.mark.parametrize("status", sorted(states.ENDS))
@pytest.mark.parametrize("act", EVERY_ACT)
def test_nothing_leads_out_of_an_end(status: Status, act: Act) -> None:
    with pytest.raises(states.ActClosed) as closed:
        states.after(status, act)
    assert (closed.value.status, closed.value.act) == (status, act)


def test_what_the_law_refuses_no_officer_registers() -> None:
    refused = states.after(None, states.JUDGED["refused"])
    assert not states.is_open(refused, "register")
    assert [status for status in EVERY_STATUS if states.is_open(status, "register")] == ["in_review"]


def test_an_officer_acts_on_what_is_in_review_and_on_nothing_else() -> None:
    for act in ("register", "refuse", "request_corrections"):
        assert [status for status in (None, *EVERY_STATUS) if states.is_open(status, act)] == ["in_review"]


def test_an_applicant_can_always_withdraw_what_is_not_decided() -> None:
    assert {status for status in EVERY_STATUS if states.is_open(status, "withdraw")} == set(EVERY_STATUS) - states.ENDS


def test_time_ends_only_what_waits_for_its_applicant() -> None:
    lapsing = [status for status in EVERY_STATUS if states.is_open(status, "lapse")]
    assert lapsing == ["awaiting_signatures", "corrections_requested"]


def test_a_signed_form_is_judged_like_one_that_nobody_else_signs() -> None:
    for outcome, act in states.SIGNED.items():
        assert states.after("awaiting_signatures", act) == states.after(None, states.JUDGED[outcome])
        assert not states.is_open("awaiting_signatures", states.JUDGED[outcome]), "it cannot be sent again meanwhile"


def test_a_corrected_form_is_judged_like_a_first_one() -> None:
    for act in states.JUDGED.values():
        assert states.after("corrections_requested", act) == states.after(None, act)
        assert not states.is_open("in_review", act), "what an officer looks at does not change under his eyes"


def test_every_state_is_reached_and_every_way_can_end() -> None:
    reached: set[Status] = set()
    waiting: list[Status | None] = [None]
    while waiting:
        status = waiting.pop()
        following = {to for (start, _), to in states.TRANSITIONS.items() if start == status}
        assert following or status in states.ENDS, "nothing waits for ever"
        waiting += following - reached
        reached |= following
    assert reached == set(EVERY_STATUS)
    assert {act for _, act in states.TRANSITIONS} == set(EVERY_ACT)


def test_who_comes_too_late_is_told_by_a_sentence_of_its_own_for_every_state() -> None:
    for status in EVERY_STATUS:
        assert messages()[f"application-{status}".replace("_", "-")].kind == "problem"
