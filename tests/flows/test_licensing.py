"""From the register to the permit: registration and licensing as processes of their own, over the real Kafka."""

from datetime import date
from typing import Any

import httpx

from libs.common import signature
from tests.spine import Spine, eventually, form, get, post, submit

FIRE, MARKET, HEALTH = "licensing-fire-1", "licensing-market-1", "licensing-health-1"


async def asked(spine: Spine, path: str, person: str | None = "applicant-1", **headers: str) -> httpx.Response:
    return await get(spine, path, service="licensing", person=person, **headers)


async def sent(
    spine: Spine, path: str, body: Any = None, *, person: str | None = "applicant-1", if_match: int | None = None
) -> httpx.Response:
    return await post(spine, path, body, service="licensing", person=person, if_match=if_match)


async def registered(spine: Spine, *activities: str) -> str:
    """A restaurant venture is registered, and licensing has heard of it."""
    answer = await submit(spine, form(activities=list(activities or ("6210",))))
    uscc: str = answer.json()["uscc"]

    async def is_determined() -> bool:
        return (await asked(spine, f"/v1/enterprises/{uscc}/requirements")).status_code == 200

    await eventually(is_determined)
    return uscc


async def applied(spine: Spine, uscc: str, item: str, way: str, *, person: str = "applicant-1") -> httpx.Response:
    body = {"item_id": item, "way": way, "commitment_accepted": way == "commitment"}
    return await sent(spine, f"/v1/enterprises/{uscc}/permit-applications", body, person=person)


async def notification(spine: Spine, uscc: str, item: str, person: str) -> dict[str, Any]:
    found = (await asked(spine, f"/v1/notifications?uscc={uscc}", person)).json()["items"]
    [one] = [row for row in found if row["item_id"] == item]
    return dict(one)


async def test_a_restaurant_learns_what_it_needs_before_and_after_it_is_registered(spine: Spine) -> None:
    spine.up("registration", "licensing")
    preview = (await asked(spine, "/v1/permit-requirements?activity=6210&capital=foreign", None)).json()
    uscc = await registered(spine)
    needed = (await asked(spine, f"/v1/enterprises/{uscc}/requirements")).json()

    modes = {row["item_id"]: row["mode"] for row in needed["items"] if row["why"]}
    assert set(modes.values()) == {
        "optimised_access", "direct_cancellation", "notification_commitment", "approval_to_filing"
    }  # fmt: skip
    assert modes == {row["item_id"]: row["mode"] for row in preview["items"] if row["why"]}
    assert needed["policy_digest"] == preview["policy_digest"]
    assert all(
        row["source"] and row["mode_confidence"] in ("verified", "memory", "doubtful") for row in needed["items"]
    )
    assert needed["catalogue"] == {"items": 143, "of": 523}
    replayed = (await asked(spine, f"/v1/enterprises/{uscc}/requirements/replay")).json()
    assert replayed["agrees"]


async def test_a_question_that_is_open_is_asked_in_the_callers_language(spine: Spine) -> None:
    path = "/v1/permit-requirements?activity=8930"
    in_english = {row["item_id"]: row for row in (await asked(spine, path, None)).json()["items"]}
    assert in_english["P026"]["questions"] == [
        {"fact": "swimming_pool", "words": "has a swimming pool open to the public", "answered_by": "applicant"}
    ]
    answer = await asked(spine, path, None, **{"accept-language": "zh"})
    in_chinese = {row["item_id"]: row for row in answer.json()["items"]}
    assert in_chinese["P026"]["questions"][0]["words"] == "设有游泳场所"
    answered = (await asked(spine, f"{path}&fact=swimming_pool", None)).json()["items"]
    assert {row["item_id"]: row["due"] for row in answered}["P026"] == "yes"


async def test_facts_that_contradict_each_other_come_back(spine: Spine) -> None:
    path = "/v1/permit-requirements?activity=5221&fact=prepackaged_only&fact=loose_or_processed_food"
    answer = await asked(spine, path, None)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "facts_contradict")
    assert (await asked(spine, "/v1/permit-requirements?activity=5221&fact=unheard_of", None)).status_code == 422


async def test_a_department_claims_its_own_and_another_returns_what_is_not(spine: Spine) -> None:
    uscc = await registered(spine)
    fire = await notification(spine, uscc, "P033", FIRE)
    assert (fire["state"], fire["claim_by"]) == ("sent", "2026-01-12")
    path = f"/v1/notifications/{fire['id']}/claim"
    assert (await sent(spine, path, person=FIRE)).status_code == 428
    assert (await sent(spine, path, person=HEALTH, if_match=1)).status_code == 404
    claimed = await sent(spine, path, person=FIRE, if_match=1)
    assert (claimed.json()["state"], claimed.headers["etag"]) == ("claimed", '"2"')
    assert (await sent(spine, path, person=FIRE, if_match=2)).json()["type"].endswith("notification-not-waiting")

    prepaid = await notification(spine, uscc, "P077", HEALTH)
    assert prepaid["department"] is None, "not clear whose it is: any department sees it"
    back = {"to": "commerce", "reason": "预付卡不属于卫生健康部门职责"}
    returned = await sent(spine, f"/v1/notifications/{prepaid['id']}/return", back, person=HEALTH, if_match=1)
    assert (returned.json()["state"], returned.json()["department"]) == ("sent", "commerce")
    assert (await asked(spine, f"/v1/notifications/{prepaid['id']}", HEALTH)).status_code == 404


async def test_each_mode_leads_to_its_own_end(spine: Spine) -> None:
    uscc = await registered(spine)
    cancelled = await applied(spine, uscc, "P024", "ordinary")
    assert (cancelled.status_code, cancelled.json()["title"]) == (422, "no permit may be demanded")
    assert (await applied(spine, uscc, "P077", "filing")).json()["status"] == "recorded"
    granted = await applied(spine, uscc, "P033", "commitment")
    assert (granted.status_code, granted.json()["status"]) == (201, "granted")
    again = await applied(spine, uscc, "P033", "commitment")
    assert (again.status_code, again.json()["title"]) == (409, "already there")

    food = (await applied(spine, uscc, "P001", "ordinary")).json()
    assert (food["status"], food["decide_by"]) == ("in_review", "2026-02-02")
    waiting = (await asked(spine, "/v1/work-items?queue=licensing.permit", MARKET)).json()["items"]
    [item] = [one for one in waiting if one["subject"] == food["id"]]
    ruling = {"outcome": "grant", "reason": "现场核查符合要求"}
    path = f"/v1/permit-applications/{food['id']}/decision"
    assert (await sent(spine, path, ruling, person=MARKET, if_match=1)).json()["title"] == "work not yours"
    await sent(spine, f"/v1/work-items/{item['id']}/claim", person=MARKET, if_match=1)
    decided = await sent(spine, path, ruling, person=MARKET, if_match=1)
    assert decided.json()["status"] == "granted", decided.text
    permits = (await asked(spine, f"/v1/enterprises/{uscc}/permits")).json()["items"]
    assert {row["item_id"]: row["mode"] for row in permits} == {
        "P033": "notification_commitment",
        "P001": "optimised_access",
    }
    filings = (await asked(spine, f"/v1/enterprises/{uscc}/filings")).json()["items"]
    assert [row["item_id"] for row in filings] == ["P077"]


async def test_a_permit_has_a_certificate_that_anyone_can_check(spine: Spine) -> None:
    uscc = await registered(spine)
    permit = (await applied(spine, uscc, "P033", "commitment")).json()["permit_id"]
    shown = (await asked(spine, f"/v1/permits/{permit}/certificate", None)).json()
    assert (shown["in_force"], shown["issued"], shown["uscc"]) == (True, "2026-01-05", uscc)
    with spine.as_environment():
        from services.licensing.service import service

        genuine = signature.verify(shown["jws"], signature.keys(service.load_settings()).keys)
    assert genuine.kind == "permit"
    assert genuine.document == shown["document"]
    assert genuine.document["item_zh"].startswith("公众聚集场所")


async def test_what_is_anothers_is_not_there(spine: Spine) -> None:
    uscc = await registered(spine)
    filed = (await applied(spine, uscc, "P001", "ordinary")).json()
    for path in ("requirements", "requirements/replay", "permits", "filings"):
        assert (await asked(spine, f"/v1/enterprises/{uscc}/{path}", "applicant-2")).status_code == 404
        assert (await asked(spine, f"/v1/enterprises/{uscc}/{path}", None)).status_code == 401
        assert (await asked(spine, f"/v1/enterprises/{uscc}/{path}", FIRE)).status_code == 200
    mine = f"/v1/permit-applications/{filed['id']}"
    assert [(await asked(spine, mine, who)).status_code for who in ("applicant-1", "applicant-2", MARKET, FIRE)] == [
        200, 404, 200, 404
    ]  # fmt: skip
    assert (await applied(spine, uscc, "P077", "filing", person="applicant-2")).status_code == 404
    listed = (await asked(spine, "/v1/permit-applications?limit=200", "applicant-2")).json()["items"]
    assert listed == []


async def test_lists_go_on_where_the_page_ended(spine: Spine) -> None:
    uscc = await registered(spine, "6210")
    every = (await asked(spine, f"/v1/notifications?uscc={uscc}", "supervisor-1")).json()["items"]
    first = (await asked(spine, f"/v1/notifications?uscc={uscc}&limit=3", "supervisor-1")).json()
    rest = (await asked(spine, f"/v1/notifications?uscc={uscc}&limit=3&cursor={first['next']}", "supervisor-1")).json()
    assert first["items"] + rest["items"] == every
    assert (len(every), rest["next"]) == (4, None)


async def test_what_nobody_claims_is_overdue_when_its_time_has_passed(spine: Spine) -> None:
    uscc = await registered(spine)
    await spine.travel(date(2026, 1, 14))
    late = (await asked(spine, f"/v1/notifications?uscc={uscc}&state=overdue", "supervisor-1")).json()["items"]
    assert {row["item_id"]: row["overdue_on"] for row in late} == dict.fromkeys(
        ("P001", "P033", "P077", "P122"), "2026-01-13"
    )
    escalated = (await asked(spine, "/v1/work-items?state=escalated&limit=200", "supervisor-1")).json()["items"]
    assert {row["id"] for row in late} <= {row["subject"] for row in escalated}
