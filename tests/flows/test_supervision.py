"""From registered enterprises to an overdue correction, over the real Kafka and PostgreSQL and real processes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from libs.common import signature
from libs.common.envelope import Event, headers, source_of
from services.licensing.published_events import CommitmentGiven, PermitGranted
from services.supervision import domain
from tests.spine import Spine, eventually, form, get, post, submit

LOOK = {"purpose": "audit"}
KNOWN: dict[str, Any] = {}
"""What the story has brought about so far: tests of this module are its chapters."""


async def ask(spine: Spine, path: str, person: str | None = "supervisor-1", **more: str) -> Any:
    answer = await get(spine, path, service="supervision", person=person, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def do(
    spine: Spine, path: str, body: dict[str, Any] | None = None, person: str | None = "supervisor-1",
    status: int | None = None, **more: Any,
) -> Any:  # fmt: skip
    answer = await post(spine, path, body or {}, service="supervision", person=person, **more)
    assert answer.status_code in ((200, 201) if status is None else (status,)), answer.text
    return answer.json()


async def say(spine: Spine, source: str, subject: str, *events: Event) -> None:
    """Events of a service that does not run here, as it would send them."""
    producer = AIOKafkaProducer(bootstrap_servers=spine.stack.bootstrap_servers)
    await producer.start()
    try:
        for sequence, event in enumerate(events, start=1):
            id = uuid4()
            await producer.send_and_wait(
                f"{spine.namespace}{source}.events", msgspec.json.encode(event), key=subject.encode(),
                headers=headers(
                    id=id, source=source_of(source), type=event.type, subject=subject, sequence=sequence,
                    time="2026-01-06T01:00:00Z", correlation_id=str(id), causation_id=None, traceparent=None,
                ),
            )  # fmt: skip
    finally:
        await producer.stop()


async def items(spine: Spine, path: str, person: str = "supervisor-1", **more: str) -> list[dict[str, Any]]:
    """Every page of a list."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await ask(spine, f"{path}{'&' if '?' in path else '?'}limit=2{cursor}", person, **more)
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def test_registered_enterprises_enter_the_object_library(spine: Spine) -> None:
    spine.up("registration", "risk", "supervision")
    usccs = []
    for n in range(5):
        owner = "applicant-2" if n == 4 else "applicant-1"
        usccs.append((await submit(spine, form(), person=owner)).json()["uscc"])
    await spine.quiet()

    objects = await items(spine, "/v1/objects")

    assert [one["uscc"] for one in objects] == sorted(usccs)
    assert "risk_class" not in objects[0]
    KNOWN["usccs"] = sorted(usccs)
    KNOWN["other"] = usccs[4]


async def test_inspectors_enter_their_library_with_their_conflicts(spine: Spine) -> None:
    for account in ("inspector-1", "inspector-2"):
        await do(spine, "/v1/inspectors", {"account": account, "department": "market_regulation"})
    entered = await do(
        spine, "/v1/inspectors",
        {"account": "inspector-4", "department": "fire_and_rescue", "conflicts": [KNOWN["other"]]},
    )  # fmt: skip
    assert entered["version"] == 1
    again = await do(spine, "/v1/inspectors", {"account": "inspector-1", "department": "health"}, status=409)
    assert again["type"].endswith(":inspector-known")
    entry = {"department": "fire_and_rescue", "conflicts": [], "available": True}
    await do(spine, "/v1/inspectors/inspector-4", entry, method="PUT", status=428)
    await do(spine, "/v1/inspectors/inspector-4", entry, method="PUT", if_match=2, status=412)
    assert (await do(spine, "/v1/inspectors/inspector-4", entry, method="PUT", if_match=1))["version"] == 2
    assert [one["account"] for one in await items(spine, "/v1/inspectors")] == [
        "inspector-1", "inspector-2", "inspector-4",
    ]  # fmt: skip


async def test_anyone_sees_the_commitment_from_the_day_of_filing(spine: Spine) -> None:
    plan = {
        "code_set": "joint_inspection", "items": ["P001"], "legal_basis": "guofa_2019_5", "on": "2026-01-12",
        "ratios": {"A": 50, "B": 50, "C": "50", "D": 100},
    }  # fmt: skip
    filed = await do(spine, "/v1/tasks", plan)
    shown = await ask(spine, f"/v1/draws/{filed['draw_id']}", None)
    assert (shown["commitment"], shown["drawn_on"], shown["objects"]) == (filed["commitment"], None, None)
    early = await do(spine, f"/v1/tasks/{filed['id']}/draw", status=409)
    assert early["type"].endswith(":draw-too-early")
    answer = await get(spine, f"/v1/tasks/{filed['id']}/draw", service="supervision", person="auditor-1", **LOOK)
    assert answer.status_code == 404, "before the draw there is no record, and nobody sees the seed"
    KNOWN["task"], KNOWN["draw"] = filed["id"], filed["draw_id"]


async def test_the_draw_is_made_once_and_shows_no_class_in_public(spine: Spine) -> None:
    await spine.travel(date(2026, 1, 12))
    drawn = await do(spine, f"/v1/tasks/{KNOWN['task']}/draw")
    assert drawn == await do(spine, f"/v1/tasks/{KNOWN['task']}/draw"), "drawn again, it is the same draw"
    public = await ask(spine, f"/v1/draws/{KNOWN['draw']}", None)
    assert public == drawn
    assert set(public["objects"]) <= set(KNOWN["usccs"])
    assert not [word for word in ("class", "strat", "ratio", "seed") if word in str(public).lower()]
    ring = [
        signature.Key(
            kid=key["kid"], alg=key["alg"], signs_from=datetime.fromisoformat(key["signs_from"]),
            jwk={name: key[name] for name in ("kty", "crv", "x")},
        )
        for key in (await ask(spine, "/v1/keys", None))["keys"]
    ]  # fmt: skip
    genuine = signature.verify(public.pop("jws"), ring)
    assert (genuine.kind, genuine.document) == ("draw", public)
    KNOWN["public"] = public


async def test_an_auditor_repeats_the_draw_with_what_he_is_given(spine: Spine) -> None:
    path = f"/v1/tasks/{KNOWN['task']}/draw"
    unasked = await get(spine, path, service="supervision", person="auditor-1")
    assert unasked.json()["type"].endswith(":purpose-required")
    record = (await ask(spine, path, "auditor-1", **LOOK))["record"]
    objects = await items(spine, f"{path}/objects", "auditor-1", **LOOK)

    again = domain.draw(
        {one["uscc"]: one["risk_class"] for one in objects if one["excluded"] is None},
        {one["risk_class"]: Decimal(one["ratio_pct"]) for one in record["strata"]},
        [
            domain.Inspector(one["account"], one["department"], frozenset(one["conflicts"]))
            for one in record["inspectors"]
            if one["excluded"] is None
        ],
        record["departments"],
        seed=bytes.fromhex(record["seed"]), task_id=UUID(record["task_id"]),
        on=date.fromisoformat(record["planned_on"]),
    )  # fmt: skip

    assert [visit.uscc for visit in again.visits] == KNOWN["public"]["objects"]
    assert [{"uscc": v.uscc, "inspectors": list(v.inspectors)} for v in again.visits] == record["visits"]
    assert domain.commitment(bytes.fromhex(record["seed"]), UUID(record["task_id"])) == KNOWN["public"]["commitment"]
    assert domain.record_digest(record) == KNOWN["public"]["record_digest"]
    async with spine.database("supervision") as connection:
        looks = await connection.fetch("SELECT convert_from(entry, 'utf8') AS entry FROM audit")
    assert any(path in row["entry"] and "auditor-1" in row["entry"] for row in looks)


async def test_anyone_may_have_it_repeated(spine: Spine) -> None:
    path = f"/v1/draws/{KNOWN['draw']}/verification"
    assert await do(spine, path, person=None) == {
        "equal": True, "commitment_opens": True, "record_equal": True, "visits_equal": True,
    }  # fmt: skip


async def test_inspectors_see_their_own_and_nobody_else_sees_theirs(spine: Spine) -> None:
    drawn = KNOWN["public"]["objects"]
    for account in ("inspector-1", "inspector-2"):
        mine = await items(spine, "/v1/inspections", account)
        assert sorted(one["uscc"] for one in mine) == drawn
        assert not [one for one in mine if "class" in str(one).lower()]
    assert await items(spine, "/v1/inspections", "inspector-4") == []
    for person, status in (("inspector-4", 404), ("applicant-1", 403), (None, 401)):
        answer = await get(spine, f"/v1/inspections/{mine[0]['id']}", service="supervision", person=person)
        assert answer.status_code == status
    KNOWN["visit"] = mine[0]


async def test_the_code_shows_task_items_basis_and_how_many_come_but_no_names(spine: Spine) -> None:
    shown = await ask(spine, f"/v1/inspection-codes/{KNOWN['visit']['code']}", None)
    assert (shown["uscc"], shown["task_id"]) == (KNOWN["visit"]["uscc"], KNOWN["task"])
    assert shown["items"][0]["name"] == "Food business licence (catering)"
    assert (shown["inspectors"], shown["departments"]) == (2, {"market_regulation": 2})
    assert "inspector-" not in str(shown)
    answer = await get(spine, f"/v1/inspection-codes/{'0' * 32}", service="supervision", person=None)
    assert answer.status_code == 404


async def test_a_visit_without_its_code_has_no_result(spine: Spine) -> None:
    visit, results = KNOWN["visit"], [{"code_set": "joint_inspection", "code": "01"}]
    path = f"/v1/inspections/{visit['id']}"
    refused = await do(spine, f"{path}/result", {"results": results}, "inspector-1", 403)
    assert refused["type"].endswith(":inspection-code-needed")
    await do(spine, f"{path}/result", {"code": visit["code"], "results": results}, "inspector-4", 404)
    excluded = [*results, {"code_set": "joint_inspection", "code": "09"}]
    returned = await do(spine, f"{path}/result", {"code": visit["code"], "results": excluded}, "inspector-1", 422)
    assert returned["errors"][0]["code"] == "code_excludes_others"
    await do(spine, f"{path}/result", {"code": visit["code"], "results": results}, "inspector-1")
    same = await do(spine, f"{path}/confirmation", {"code": visit["code"]}, "inspector-1", 409)
    assert same["type"].endswith(":second-inspector-needed")
    done = await do(spine, f"{path}/confirmation", {"code": visit["code"]}, "inspector-2")
    assert (done["state"], done["completed_on"]) == ("completed", "2026-01-12")


async def test_a_commitment_found_unkept_is_ordered_to_be_mended(spine: Spine) -> None:
    uscc = KNOWN["usccs"][0]
    commitment, permit = uuid4(), uuid4()
    granted = PermitGranted(
        permit_id=permit, item_id="P033", department="fire_and_rescue", mode="notification_commitment",
        granted_on=date(2026, 1, 6),
    )  # fmt: skip
    given = CommitmentGiven(
        commitment_id=commitment, permit_id=permit, item_id="P033", department="fire_and_rescue",
        given_on=date(2026, 1, 6), check_by=date(2026, 3, 6),
    )  # fmt: skip
    await say(spine, "licensing", uscc, granted, given)
    [obligation] = await eventually(lambda: items(spine, "/v1/obligations"))
    assert (obligation["commitment_id"], obligation["overdue"]) == (str(commitment), False)

    visit = await do(
        spine, "/v1/inspections",
        {"uscc": uscc, "reason": "commitment_check", "commitment_id": str(commitment)},
    )  # fmt: skip
    assert "inspector-4" in visit["inspectors"]
    other = next(account for account in visit["inspectors"] if account != "inspector-4")
    body = {"code": visit["code"], "results": [{"code_set": "joint_inspection", "code": "09"}]}
    await do(spine, f"/v1/inspections/{visit['id']}/result", body, "inspector-4")
    await do(spine, f"/v1/inspections/{visit['id']}/confirmation", {"code": visit["code"]}, other)

    assert await items(spine, "/v1/obligations") == []
    [correction] = await items(spine, "/v1/corrections", "applicant-1")
    assert (correction["uscc"], correction["commitment_id"]) == (uscc, str(commitment))
    assert (correction["ordered_on"], correction["state"]) == ("2026-01-12", "ordered")
    assert await items(spine, "/v1/corrections", "applicant-2") == [], "somebody else's is not there"
    assert await items(spine, "/v1/corrections", "inspector-4") == [correction]
    assert await items(spine, "/v1/corrections", "auditor-1") == [correction]
    KNOWN["correction"], KNOWN["commitment"] = correction, str(commitment)


async def test_time_makes_it_overdue_and_publishes_the_results(spine: Spine) -> None:
    due_on = date.fromisoformat(KNOWN["correction"]["due_on"])
    await spine.travel(due_on)
    assert (await items(spine, "/v1/corrections?state=overdue")) == []

    await spine.travel(due_on + timedelta(days=30))

    [overdue] = await items(spine, "/v1/corrections?state=overdue")
    assert overdue["overdue_on"] == (due_on + timedelta(days=1)).isoformat()
    results = await items(spine, f"/v1/published-results?uscc={overdue['uscc']}", "applicant-2")
    assert "Problem found, to be handled" in {one["results"][0]["result"] for one in results}
    assert {one["published_on"] for one in results} == {"2026-02-09"}, "on its twentieth working day"
    async with spine.database("supervision") as connection:
        rows = await connection.fetch(
            "SELECT type, data FROM outbox WHERE subject = $1 AND convert_from(data, 'utf8') LIKE '%' || $2 || '%' "
            "ORDER BY sequence", overdue["uscc"], KNOWN["commitment"],
        )  # fmt: skip
    assert [row["type"].split(".")[1] for row in rows] == [
        "inspection_assigned", "inspection_completed", "correction_ordered", "correction_overdue",
    ]  # fmt: skip


async def test_met_late_it_is_met_all_the_same_and_only_once(spine: Spine) -> None:
    path = f"/v1/corrections/{KNOWN['correction']['id']}/met"
    for person, status in (("applicant-1", 403), ("inspector-3", 404)):
        await do(spine, path, person=person, status=status)
    assert (await do(spine, path, person="inspector-4"))["state"] == "met"
    await do(spine, path, person="supervisor-1", status=409)


@pytest.mark.parametrize(
    "path",
    ["/v1/objects", "/v1/obligations", "/v1/inspectors", "/v1/tasks", "/v1/inspections", "/v1/corrections"],
)
async def test_lists_are_for_those_whose_work_they_are(spine: Spine, path: str) -> None:
    assert (await get(spine, path, service="supervision", person=None)).status_code == 401
    stranger = await get(spine, path, service="supervision", person="city")
    assert stranger.status_code == 403
