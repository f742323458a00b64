"""Credit repair (信用修复): not before its time, decided by the officer who holds it, and then it counts no more."""

from datetime import date
from uuid import uuid4

import pytest

from deploy.city import record
from services.credit import policy
from services.credit.domain.policy import add_months
from tests.credit.office import Office, refusal

LAW = policy.current()


@pytest.mark.parametrize(
    ("concerns", "since", "earliest"),
    [
        ("serious_illegal_dishonest", date(2026, 1, 5), date(2027, 1, 5)),
        ("abnormal_operation", date(2026, 1, 5), date(2026, 1, 5)),
        ("commitment_breach", date(2026, 1, 5), date(2026, 1, 5)),
        ("penalty", date(2025, 11, 30), date(2026, 2, 28)),
    ],
)
def test_the_first_day_to_apply_is_the_laws(concerns: str, since: date, earliest: date) -> None:
    day, term = LAW.repair_from(concerns, since)
    assert day == earliest
    assert term.source


def test_a_month_later_is_the_same_day_or_the_last_one() -> None:
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2025, 12, 31), 2) == date(2026, 2, 28)


def test_the_days_for_a_decision_became_seven_with_order_107() -> None:
    assert (LAW.working_days("repair", date(2025, 12, 24)), LAW.working_days("repair", date(2025, 12, 25))) == (15, 7)


async def test_a_commitment_that_is_repaired_opens_the_mode_again(office: Office) -> None:
    uscc = await office.registered()
    target = await office.commitment_unkept(uscc)
    assert (await office.post("/v1/repairs", "applicant-2", target=target)).status_code == 404
    applied = await office.post("/v1/repairs", "applicant-1", target=target)
    assert (applied.status_code, applied.json()["decide_by"], applied.headers["etag"]) == (201, "2026-01-14", '"1"')
    assert applied.json()["facts"]["term_confidence"] == "own_setting"
    assert refusal(await office.post("/v1/repairs", "applicant-1", target=target)) == "repair-pending"
    assert (await office.credit(uscc))["restrictions"] == ["commitment_mode"], "an application lifts nothing"

    id = applied.json()["id"]
    path, decision = f"/v1/repairs/{id}/decision", {"granted": True, "reason": "the kitchen is as promised"}
    assert refusal(await office.post(path, if_match=1, **decision)) == "work-not-yours"
    await office.claim("credit.repair", id)
    assert (await office.post(path, **decision)).status_code == 428
    assert refusal(await office.post(path, if_match=9, **decision)) == "stale"
    decided = await office.post(path, if_match=1, **decision)
    assert (decided.json()["state"], decided.json()["version"]) == ("granted", 2)
    assert decided.json()["decision"]["policy_digest"] == LAW.digest
    assert refusal(await office.post(path, if_match=2, **decision)) == "already-decided"

    shown = await office.credit(uscc, "applicant-1")
    assert ([one["state"] for one in shown["records"]], shown["restrictions"]) == (["repaired"], [])
    said = await office.said(uscc, "repair_applied", "repair_decided", "restriction_changed")
    assert [one["type"].split(".")[1] for one in said] == [
        "restriction_changed", "repair_applied", "repair_decided", "restriction_changed",
    ]  # fmt: skip
    assert (said[2]["target_kind"], said[2]["record_kind"], said[2]["granted"]) == ("record", "commitment_breach", True)
    assert "kitchen" not in str(said), "an officer's words go into no event"
    assert refusal(await office.post("/v1/repairs", "applicant-1", target=target)) == "nothing-to-repair"


async def test_a_refused_repair_changes_nothing_and_may_be_asked_for_again(office: Office) -> None:
    uscc = await office.registered()
    target = await office.commitment_unkept(uscc)
    id = (await office.post("/v1/repairs", "applicant-1", target=target)).json()["id"]
    await office.claim("credit.repair", id)
    refused = await office.post(f"/v1/repairs/{id}/decision", if_match=1, granted=False, reason="not yet mended")
    assert refused.json()["state"] == "refused"
    seen = (await office.get(f"/v1/repairs/{id}", "applicant-1")).json()
    assert (seen["state"], seen["decision"]["reason"]) == ("refused", "not yet mended")
    assert (await office.get(f"/v1/repairs/{id}", "applicant-2")).status_code == 404
    assert (await office.credit(uscc))["restrictions"] == ["commitment_mode"]
    assert (await office.post("/v1/repairs", "applicant-1", target=target)).status_code == 201


async def test_an_application_for_what_is_erased_meanwhile_is_without_object(office: Office) -> None:
    uscc = await office.registered()
    target = await office.commitment_unkept(uscc)
    id = (await office.post("/v1/repairs", "applicant-1", target=target)).json()["id"]
    await office.claim("credit.repair", id)
    assert (await office.post(f"/v1/records/{target}/erasure", reason="entered_in_error")).status_code == 200
    assert (await office.get(f"/v1/repairs/{id}")).json()["state"] == "without_object"
    late = await office.post(f"/v1/repairs/{id}/decision", if_match=2, granted=True, reason="too late")
    assert refusal(late) == "already-decided"
    assert refusal(await office.post("/v1/repairs", "applicant-1", target=target)) == "not-found"


async def test_nobody_asks_for_what_is_not_there_or_not_theirs(office: Office) -> None:
    assert (await office.post("/v1/repairs", "applicant-1", target=str(uuid4()))).status_code == 404
    assert (await office.post("/v1/repairs", "credit-1", target=str(uuid4()))).status_code == 403
    assert (await office.get(f"/v1/repairs/{uuid4()}")).status_code == 404


async def test_a_penalty_and_a_serious_listing_wait_their_time_and_the_answer_names_the_day(office: Office) -> None:
    """Last in the module: time moves on by a year."""
    uscc = await office.registered()
    await office.from_city(record("sh-repaired", uscc, ground="PP2", effective_on="2025-12-15"))
    [penalty] = (await office.credit(uscc))["records"]
    listing = await office.list_serious(uscc, penalty["id"])
    for target, day, source in (
        (penalty["id"], "2026-03-15", "SAMR Order 107"),
        (listing, "2027-01-05", "SAMR Order 44"),
    ):
        early = await office.post("/v1/repairs", "applicant-1", target=target)
        assert (early.status_code, refusal(early)) == (409, "repair-too-early")
        assert day in early.json()["detail"]
        assert source in early.json()["detail"]

    await office.spine.travel(date(2027, 1, 5))
    applied = await office.post("/v1/repairs", "applicant-1", target=listing)
    assert applied.status_code == 201, applied.text
    assert applied.json()["provisional"] is True, "the holidays of 2027 are not announced"
    await office.claim("credit.repair", applied.json()["id"])
    path = f"/v1/repairs/{applied.json()['id']}/decision"
    assert (await office.post(path, if_match=1, granted=True, reason="fine paid, harm removed")).status_code == 200

    [shown] = (await office.credit(uscc))["listings"]
    assert (shown["state"], shown["ended_because"]) == ("ended", "repaired")
    [delisted] = await office.said(uscc, "subject_delisted")
    assert (delisted["reason"], delisted["delisted_on"]) == ("repaired", "2027-01-05")
    assert (await office.credit(uscc))["restrictions"] == []
