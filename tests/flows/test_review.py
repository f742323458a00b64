"""A telecom venture, from review over corrections to an officer's registration and its score, with real processes."""

from typing import Any

import httpx
import pytest

from tests.spine import Spine, eventually, form, get, post, risk_of

TELECOM = {"activities": ["6311"]}
STAFF = "registrar-1"


@pytest.fixture(scope="module")
def window(spine: Spine) -> Spine:
    return spine.up("registration", "risk")


async def item_of(spine: Spine, application: str, state: str = "open", person: str = STAFF) -> dict[str, Any]:
    """The item of work for an application in one of an officer's views."""
    answer = await get(spine, f"/v1/work-items?queue=registration.review&state={state}&limit=200", person=person)
    [found] = [item for item in answer.raise_for_status().json()["items"] if item["subject"] == application]
    return found


async def claim(spine: Spine, application: str, person: str = STAFF) -> httpx.Response:
    item = await item_of(spine, application)
    return await post(spine, f"/v1/work-items/{item['id']}/claim", person=person, if_match=item["version"])


async def test_a_telecom_venture_is_sent_back_corrected_registered_by_an_officer_and_scored(window: Spine) -> None:
    filed = await post(window, "/v1/applications", form(**TELECOM))
    assert (filed.status_code, filed.json()["status"]) == (201, "in_review")
    id = filed.json()["id"]
    path = f"/v1/applications/{id}"

    assert (await claim(window, id)).status_code == 200
    asked = {"fields": [{"field": "area", "words": "住所与租赁合同不符，请更正。"}]}
    sent_back = await post(window, f"{path}/corrections", asked, person=STAFF, if_match=1)
    assert (sent_back.status_code, sent_back.json()["status"]) == (200, "corrections_requested")

    mine = (await get(window, path)).json()
    assert mine["corrections"] == asked["fields"]
    assert mine["correct_by"] == sent_back.json()["correct_by"]
    listed = (await get(window, "/v1/applications?status=corrections_requested")).json()["items"]
    assert [item["id"] for item in listed] == [id]

    again = await post(window, f"{path}/resubmission", form(**TELECOM, area="310106013"), if_match=2)
    assert (again.status_code, again.json()["status"], again.json()["round"]) == (201, "in_review", 2)
    early = await post(window, f"{path}/decision", {"outcome": "register", "reason": "。"}, person=STAFF, if_match=3)
    assert (early.status_code, early.json()["type"]) == (409, "urn:one-window:problem:work-not-yours")

    assert (await claim(window, id)).status_code == 200
    ruling = {"outcome": "register", "reason": "已核对业务范围，符合对外开放承诺。"}
    decided = await post(window, f"{path}/decision", ruling, person=STAFF, if_match=3)
    assert (decided.status_code, decided.json()["status"]) == (200, "registered")

    uscc = decided.json()["uscc"]
    scored = await eventually(lambda: risk_of(window, uscc))
    assert scored["score"] == sum(part["points"] for part in scored["contributions"])
    enterprise = (await get(window, f"/v1/enterprises/{uscc}", person=None)).json()
    assert (enterprise["area"], enterprise["status"]) == ("310106013", "registered")

    shown, to_staff = (await get(window, path)).json(), (await get(window, path, person=STAFF)).json()
    assert shown["decided"]["reason"] == ruling["reason"]
    assert (shown["decided"]["officer"], to_staff["decided"]["officer"]) == (None, STAFF)
    assert shown["decided"]["overridden"][0]["activity"] == "6311"

    replayed = (await get(window, f"{path}/replay", person="auditor-1")).json()
    assert replayed["agrees"]
    assert replayed["same_policy"]
    assert [(one["round"], one["by"]) for one in replayed["judgements"]] == [
        (1, "screening"), (2, "screening"), (2, "officer"),
    ]  # fmt: skip


async def test_two_officers_who_decide_at_once_are_told_apart(window: Spine) -> None:
    id = (await post(window, "/v1/applications", form(**TELECOM))).json()["id"]
    path = f"/v1/applications/{id}/decision"
    await claim(window, id)
    other = await post(window, path, {"outcome": "refuse", "reason": "不符。"}, person="registrar-2", if_match=1)
    assert (other.status_code, other.json()["type"]) == (409, "urn:one-window:problem:work-not-yours")
    assert (await post(window, path, {"outcome": "refuse", "reason": "不符。"}, person=STAFF)).status_code == 428

    ruling = {"outcome": "refuse", "reason": "业务范围不属于承诺范围。"}
    first = await post(window, path, ruling, person=STAFF, if_match=1, key="one-click")
    again = await post(window, path, ruling, person=STAFF, if_match=1, key="one-click")
    assert (first.json(), first.headers["etag"]) == (again.json(), again.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    second = await post(window, path, ruling, person=STAFF, if_match=1, key="another-click")
    assert (second.status_code, second.json()["type"]) == (412, "urn:one-window:problem:stale")
    late = await post(window, path, {"outcome": "register", "reason": "。"}, person=STAFF, if_match=2)
    assert (late.status_code, late.json()["type"]) == (409, "urn:one-window:problem:application-refused")


async def test_what_is_an_applicants_is_not_there_for_another(window: Spine) -> None:
    id = (await post(window, "/v1/applications", form(**TELECOM), person="applicant-2")).json()["id"]
    for person in ("applicant-1", "agent-1"):
        assert (await get(window, f"/v1/applications/{id}", person=person)).status_code == 404
        answer = await post(window, f"/v1/applications/{id}/withdrawal", person=person)
        assert answer.status_code == 404
    ids = [item["id"] for item in (await get(window, "/v1/applications?limit=200")).json()["items"]]
    assert id not in ids
    assert (await post(window, f"/v1/applications/{id}/withdrawal", person="applicant-2")).json()["version"] == 2
    assert (await get(window, f"/v1/applications/{id}/replay", person="applicant-2")).status_code == 403
