"""Programs of agents at the window: many forms at once, lists, the feed of what has changed; by the typed client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio

from clients.registration import ApplicationForm, Change, EnterpriseChange, Line, PlaceGone, Refused, Registration
from demo.applications import numeral
from deploy.local.issuer import token
from tests.http.wire import NO_TLS, as_json, client, send
from tests.spine import Spine, bearer, form

BATCH = "/v1/applications:batch"
NDJSON = "application/x-ndjson"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(spine: Spine) -> str:
    return spine.up("registration").service("registration").url


def speaking(url: str, person: str = "agent-1") -> Registration:
    return Registration(url, lambda: token(person))


def named(trade_name: str, **fields: Any) -> dict[str, Any]:
    name = {"division": "上海", "trade_name": trade_name, "industry": "餐饮", "form": "有限公司"}
    return form(enterprise_name=name, **fields)


def typed(trade_name: str, **fields: Any) -> ApplicationForm:
    return msgspec.convert(named(trade_name, **fields), ApplicationForm, strict=False)


def lines(*forms: Any) -> bytes:
    return b"".join(as_json(one) + b"\n" for one in forms)


async def batch(url: str, body: bytes, key: str, person: str = "agent-1") -> list[dict[str, Any]]:
    answer = await send(url + BATCH, body, key=key, content_type=NDJSON, person=person)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_each_form_of_a_batch_is_judged_by_itself(url: str) -> None:
    """One is registered, one refused by the list, one full of faults, one no form at all; none hinders another."""
    fishery, faulty = named("渔舟", activities=["0422"]), named("青", investors=[])
    body = lines({"form": named("百川")}, {"form": fishery}, {"form": faulty}, {"forms": {}}) + b"\n{not json\n"
    first, second, third, fourth, fifth, last = await batch(url, body, key := str(uuid4()))

    assert (first["line"], first["key"], first["status"]) == (1, f"{key}.1", 201)
    assert first["answer"]["status"] == "registered"
    assert second["answer"]["status"] == "refused"
    assert (third["status"], third["answer"]["type"].rpartition(":")[2]) == (422, "malformed")
    assert {fault["field"] for fault in third["answer"]["errors"]} == {"investors"}
    assert [fault["field"] for fault in fourth["answer"]["errors"]] == ["form"]
    assert (fifth["line"], fifth["status"]) == (6, 400), "empty lines count, so that a line has the number it stands at"
    assert last == {"done": True, "lines": 5}


async def test_a_batch_that_broke_is_sent_again_and_goes_on(spine: Spine, url: str) -> None:
    """The service is killed in the middle. The batch sent again answers what stands and does the rest: once each."""
    forms = {f"broke-{number}": typed(f"断点{numeral(number)}号") for number in range(60)}
    process, heard = spine.service("registration"), list[Line]()
    async with speaking(url) as registry:
        async for line in registry.submit_all(forms):
            heard.append(line)
            if len(heard) == 20:
                process.kill()
                process.start()
    assert [line.key for line in heard] == list(forms), "each form is answered once, in order"
    assert {line.status for line in heard} == {201}
    usccs = [line.judged.uscc for line in heard if line.judged]
    assert len({*usccs}) == 60

    async with speaking(url) as registry:
        again = [line async for line in registry.submit_all(forms)]
    assert [line.judged.uscc for line in again if line.judged] == usccs
    assert all(line.replayed for line in again)
    async with spine.database("registration") as connection:
        count = "SELECT count(*) FROM enterprise WHERE name LIKE '上海断点%'"
        assert await connection.fetchval(count) == 60


async def test_a_line_under_its_key_is_the_very_request_that_it_would_be_alone(url: str) -> None:
    key, body = str(uuid4()), named("同一")
    async with client(url, person="agent-1") as one:
        headers = {"idempotency-key": key, "content-type": "application/json"}
        alone = await one.post("/v1/applications", content=json.dumps(body, separators=(",", ":")), headers=headers)
    [line, _] = await batch(url, lines({"form": body, "key": key}), str(uuid4()))
    assert (line["key"], line["replayed"]) == (key, True)
    assert line["answer"]["uscc"] == alone.json()["uscc"]
    [other, _] = await batch(url, lines({"form": named("另一"), "key": key}), str(uuid4()))
    assert other["answer"]["type"].endswith(":idempotency-other-body")


@pytest.mark.parametrize(
    ("content_type", "key", "body", "status", "problem"),
    [
        ("application/json", "k", b"{}", 415, "not-ndjson"),
        (NDJSON, "k" * 255, b"{}", 400, "idempotency-key-malformed"),
        (NDJSON, "k", b"{}\n" * 5_001, 413, "too-many-lines"),
    ],
)
async def test_what_is_no_batch_is_refused_as_a_whole(
    url: str, content_type: str, key: str, body: bytes, status: int, problem: str
) -> None:
    answer = await send(url + BATCH, body, key=key, content_type=content_type, person="agent-1")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, problem)
    assert answer.json()["detail"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slow(spine: Spine, url: str) -> AsyncIterator[str]:
    """A member that lets a caller ask four times a minute."""
    member = spine.service("registration", "slow")
    member.start(REQUESTS_PER_MINUTE="4")
    await asyncio.to_thread(member.wait_ready)
    yield member.url
    member.kill()


async def four_lines(url: str, person: str, wanted: int) -> list[dict[str, Any]]:
    """A batch of four, of whose answers `wanted` are read."""
    headers = {"idempotency-key": str(uuid4()), "content-type": NDJSON}
    body = lines(*({"form": form()} for _ in range(4)))
    heard = list[dict[str, Any]]()
    async with (
        httpx.AsyncClient(timeout=100, verify=NO_TLS, headers=bearer(person)) as one,
        one.stream("POST", url + BATCH, content=body, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            heard.append(json.loads(line))
            if len(heard) == wanted:
                break
    return heard


async def test_a_batch_answers_line_by_line_and_waits_where_the_minute_is_used_up(slow: str) -> None:
    """Answers come as they are done: three of four before the fourth may be asked."""
    heard = await asyncio.wait_for(four_lines(slow, "agent-1", 3), 20)
    assert [line["status"] for line in heard] == [201] * 3


@pytest.mark.long
async def test_a_batch_is_no_way_around_the_rate_and_does_not_fail_for_it(slow: str) -> None:
    heard = await four_lines(slow, "applicant-1", 5)
    assert [line.get("status") for line in heard] == [201] * 4 + [None]


async def test_lists_are_searched_by_name_place_trade_and_day(url: str) -> None:
    async with speaking(url) as registry:
        bakery = await registry.submit(typed("麦香坊", activities=["6210"], area="310106012"))
        fair = await registry.submit(typed("麦穗会展", activities=["7281"], area="310106013"))
        assert bakery.uscc
        assert fair.uscc

        async def found(**filters: Any) -> set[str]:
            return {one.uscc async for one in registry.enterprises(**filters)} & {bakery.uscc, fair.uscc}

        assert await found(q="麦") == {bakery.uscc, fair.uscc}
        assert await found(q="麦香") == {bakery.uscc}
        assert await found(q=bakery.uscc) == {bakery.uscc}
        assert await found(q="香麦") == set(), "the pairs are there, the part is not"
        assert await found(activity="72") == {fair.uscc}
        assert await found(area="310106013") == {fair.uscc}
        assert await found(q="麦", capital="domestic") == set()
        assert await found(q="麦", since="2026-01-05", until="2026-01-05") == {bakery.uscc, fair.uscc}
        assert await found(q="麦", since="2026-01-06") == set()
        applications = [one async for one in registry.applications(q="麦香坊", until="2026-01-05")]
        assert [one.id for one in applications] == [bakery.id]
        assert [one async for one in registry.applications(q="麦香坊", since="2026-01-06")] == []
        assert (await registry.enterprise(bakery.uscc)).registered_capital == Decimal(5_000_000)
    async with speaking(url, "applicant-3") as other:
        assert [one async for one in other.enterprises(q="麦")] == []
        assert [one async for one in other.applications(q="麦香坊")] == []
    async with speaking(url, "auditor-1") as auditor:
        assert len([one async for one in auditor.enterprises(q="麦")]) == 2


async def test_an_agent_follows_what_has_changed_of_its_own(url: str) -> None:
    async with speaking(url) as agent, speaking(url, "applicant-1") as somebody:
        start = await agent.changes(start="now")
        assert start.items == []
        ours = await agent.submit(typed("追随"))
        await somebody.submit(typed("旁人"))
        assert ours.uscc
        await agent.change(ours.uscc, EnterpriseChange(area="310106013"), 1)
        page = await agent.changes(start.next)
        assert [(change.type.split(".")[1], change.subject) for change in page.items] == [
            ("enterprise_registered", ours.uscc),
            ("application_submitted", str(ours.id)),
            ("application_decided", str(ours.id)),
            ("enterprise_changed", ours.uscc),
        ]
        assert page.items[-1].data["area"] == "310106013"
        one_by_one: list[Change] = []
        cursor = start.next
        while (one := await agent.changes(cursor, limit=1)).items:
            one_by_one += one.items
            cursor = one.next
        assert one_by_one == page.items
        assert (await agent.changes(page.next)).items == []


async def test_a_place_from_before_what_is_kept_is_told_so(spine: Spine, url: str) -> None:
    async with speaking(url) as agent:
        await agent.submit(typed("久远"))
        place = (await agent.changes(start="now")).next
        async with spine.database("registration") as connection:
            await connection.execute("DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)")
        with pytest.raises(PlaceGone, match="feed-behind"):
            await agent.changes(place)


async def test_the_client_names_each_fault(url: str) -> None:
    async with speaking(url) as agent:
        with pytest.raises(Refused) as refused:
            await agent.submit(typed("错漏", activities=["9999"], area="310101002"))
        assert [fault.field for fault in refused.value.problem.errors] == ["activities.0", "area"]
