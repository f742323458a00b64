"""The register as it is read: by anyone, by staff with what others have found, and as a signed licence."""

from datetime import date
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.common import signature
from libs.common.envelope import Event, Incoming
from libs.common.outbox import encode
from libs.common.settings import Settings, load
from services.registration import consumed_events, reactions
from tests.registration.registry import Registry
from tests.spine import Spine, change, form, get, post, submit

REVOKED = consumed_events.PermitRevoked(
    permit_id=uuid4(), item_id="food_business", activities=("6210",), reason="commitment_unkept",
    revoked_on=date(2026, 4, 20),
)  # fmt: skip
RESTRICTED = consumed_events.RestrictionChanged(
    restrictions=("commitment_mode",), grounds=("SE-GEN",), changed_on=date(2026, 5, 1)
)


@pytest.fixture(scope="module")
def started(spine: Spine) -> Spine:
    return spine.up("registration")


async def hear(registry: Registry, uscc: str, *events: Event) -> None:
    """Have registration hear of an enterprise what others say, as its consumer does."""
    for event in events:
        service = event.type.split(".")[0]
        incoming = Incoming(
            topic=f"{service}.events", partition=0, offset=0, source=f"/jingan/{service}", subject=uscc, sequence=1,
            id=uuid4(), type=event.type, time="2026-04-20T00:00:00Z", correlation_id="case",
            traceparent=None, data=encode(event),
        )  # fmt: skip
        await registry.act(partial(reactions.table.apply, events=[incoming], clock=registry.clock))


async def read(spine: Spine, uscc: str, person: str | None = None) -> dict[str, Any]:
    answer = await get(spine, f"/v1/enterprises/{uscc}", person=person)
    return answer.raise_for_status().json()


async def test_many_names_are_one_question_that_anyone_may_ask(started: Spine) -> None:
    known = [(await submit(started)).json()["uscc"] for _ in range(2)]
    asked = "&".join(f"uscc={uscc}" for uscc in (*known, "91310106MA00000096", known[0]))
    answer = (await get(started, f"/v1/enterprise-names?{asked}", person=None)).raise_for_status().json()
    assert answer["items"] == [{"uscc": uscc, "name": (await read(started, uscc))["name"]} for uscc in sorted(known)], (
        "one that nobody knows is left out"
    )
    too_many = "&".join(["uscc=91310106MA0000015B"] * 201)
    for wrong in (too_many, "uscc=x", ""):
        assert (await get(started, f"/v1/enterprise-names?{wrong}", person=None)).status_code == 422, wrong[:40]


async def test_what_licensing_and_credit_found_stands_beside_the_enterprise(registry: Registry, started: Spine) -> None:
    uscc = (await submit(started)).json()["uscc"]
    await hear(registry, uscc, REVOKED, RESTRICTED, REVOKED)

    public, to_staff = await read(started, uscc), await read(started, uscc, "registrar-1")
    assert [(one["activities"], one["suspended_on"]) for one in public["suspended"]] == [(["6210"], "2026-04-20")]
    assert public["restricted"] is None
    assert to_staff["restricted"]["restrictions"] == ["commitment_mode"]
    assert (await read(started, uscc, "applicant-1"))["restricted"] is None
    assert [act for act, _ in await registry.told(uscc)] == ["enterprise_registered", "scope_item_suspended"]


async def test_a_permit_that_ends_with_the_enterprise_suspends_nothing(registry: Registry, started: Spine) -> None:
    uscc = (await submit(started)).json()["uscc"]
    gone = consumed_events.PermitRevoked(
        permit_id=uuid4(), item_id="food_business", activities=("6210",), reason="enterprise_deregistered",
        revoked_on=date(2026, 4, 20),
    )  # fmt: skip
    await hear(registry, uscc, gone)
    assert (await read(started, uscc))["suspended"] == []


async def test_the_licence_is_signed_and_shows_the_register_as_it_stands(started: Spine) -> None:
    uscc = (await submit(started)).json()["uscc"]
    await change(started, uscc, {"area": "310106013"})
    licence = (await get(started, f"/v1/enterprises/{uscc}/licence", person=None)).json()
    with started.as_environment():
        keys = signature.keys(load(Settings, "registration")).keys
    genuine = signature.verify(licence["jws"], keys)
    assert (genuine.kind, genuine.document) == ("licence", licence["document"])
    assert {name: genuine.document[name] for name in ("uscc", "area", "status", "registered_capital", "version")} == {
        "uscc": uscc, "area": "310106013", "status": "registered", "registered_capital": "5000000.00", "version": 2,
    }  # fmt: skip
    assert genuine.document["issued_at"].startswith("2026-01-0")
    header, payload, mark = licence["jws"].split(".")
    with pytest.raises(signature.NotGenuine):
        signature.verify(f"{header}.{payload[:-2]}AA.{mark}", keys)


async def test_who_has_left_has_no_licence_in_force_and_changes_nothing(started: Spine) -> None:
    uscc = (await submit(started)).json()["uscc"]
    asked = await post(started, f"/v1/enterprises/{uscc}/deregistration", {"procedure": "simplified"})
    assert (asked.status_code, asked.json()["notice_until"]) == (201, "2026-01-25")
    assert (await read(started, uscc))["status"] == "deregistration_filed"
    await started.travel(date(2026, 1, 26))

    licence = (await get(started, f"/v1/enterprises/{uscc}/licence", person=None)).json()
    assert (licence["in_force"], licence["document"]["status"]) == (False, "deregistered")
    late = await change(started, uscc, {"area": "310106013"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:one-window:problem:enterprise-deregistered")
    listed = (await get(started, "/v1/enterprises?deregistered=true&limit=200")).json()["items"]
    assert uscc in [item["uscc"] for item in listed]


async def test_why_an_enterprise_could_not_leave_is_told_to_it_and_who_objected_to_staff_alone(started: Spine) -> None:
    uscc = (await submit(started, form(), person="applicant-3")).json()["uscc"]
    ask, path = f"/v1/enterprises/{uscc}/deregistration", f"/v1/enterprises/{uscc}/deregistrations"
    await post(started, ask, {"procedure": "simplified"}, person="applicant-3")
    await post(started, f"{ask}/objections", {"words": "尚欠货款未清。"}, person="applicant-2")
    await post(started, ask, {"procedure": "general"}, person="applicant-3")

    own, to_staff = [
        (await get(started, path, person=person)).raise_for_status().json()["items"]
        for person in ("applicant-3", "registrar-1")
    ]
    assert [(one["procedure"], one["outcome"], one["ended_by"]) for one in own] == [
        ("general", None, None), ("simplified", "refuse", "objection"),
    ]  # fmt: skip
    assert [(one["words"], one["who"]) for one in own] == [(None, None), ("尚欠货款未清。", None)]
    assert [(one["words"], one["who"]) for one in to_staff] == [(None, None), ("尚欠货款未清。", "applicant-2")]

    assert (await claim(started, uscc)).status_code == 200
    ruling = {"outcome": "refuse", "reason": "清算报告缺少货款的清偿。"}
    decided = await post(started, f"{ask}/decision", ruling, person="registrar-1", if_match=1)
    assert decided.status_code == 200, decided.text
    latest = (await get(started, path, person="applicant-3")).json()["items"][0]
    assert (latest["ended_by"], latest["words"], latest["who"]) == ("officer", ruling["reason"], None)


async def claim(spine: Spine, subject: str) -> httpx.Response:
    """The first officer takes the item of work on a general deregistration."""
    items = (await get(spine, "/v1/work-items?queue=registration.deregistration", person="registrar-1")).json()["items"]
    [item] = [item for item in items if item["subject"] == subject]
    path = f"/v1/work-items/{item['id']}/claim"
    return await post(spine, path, {}, person="registrar-1", if_match=item["version"])


async def test_an_owner_sees_his_own_and_staff_see_all(started: Spine) -> None:
    mine, theirs = [
        (await submit(started, form(), person=person)).json()["uscc"] for person in ("applicant-3", "applicant-2")
    ]
    for person, seen in (("applicant-3", {mine}), ("registrar-1", {mine, theirs}), ("auditor-1", {mine, theirs})):
        items = (await get(started, "/v1/enterprises?limit=200", person=person)).json()["items"]
        assert {item["uscc"] for item in items} & {mine, theirs} == seen
    foreign = await change(started, theirs, {"area": "310106013"}, person="applicant-3")
    assert foreign.status_code == 404


async def test_a_form_is_read_as_it_was_filed_with_its_names_by_who_filed_it_alone(started: Spine) -> None:
    filed = form(activities=["6311"], treaty_claim="cepa")
    for investor in filed["investors"]:
        investor.update(is_fie=False, settled_abroad=False, affiliate_group=None)
    path = f"/v1/applications/{(await submit(started, filed)).json()['id']}/form"
    mine, theirs = [(await get(started, path, person=person)).json()["form"] for person in ("applicant-1", "auditor-1")]
    assert mine == filed
    assert {name for name in filed if theirs[name] != filed[name]} == {"investors", "legal_representative"}
    assert "Anna Weber" not in str(theirs)
    assert (await get(started, path, person="applicant-2")).status_code == 404
    assert (await get(started, path, person="analyst-1")).status_code == 403
