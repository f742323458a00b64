"""A form begun today and finished another day: kept, opened when it has expired, used up, and gone at last."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from libs.common.web import Stale
from services.registration import domain, use_cases
from services.registration.domain.draft import MAX_BYTES, MAX_DEPTH, checked_content
from tests.registration.registry import START, Registry
from tests.spine import Spine, form, get, post

BEGUN = {"enterprise_name": {"trade_name": "青禾"}, "activities": ["6210"], "remark": "\u0000\U0001f33e", "n": [1.5]}


async def begin(registry: Registry, content: dict[str, Any] | None = None) -> UUID:
    row = await registry.act(
        lambda session: use_cases.begin_draft(
            session, BEGUN if content is None else content, registry.owner, registry.law, registry.clock, id=uuid4()
        )
    )
    return row.id


async def save(registry: Registry, id: UUID, version: int, content: dict[str, Any]) -> None:
    await registry.act(
        lambda session: use_cases.save_draft(
            session, id, content, registry.owner, version, registry.law, registry.clock
        )
    )  # fmt: skip


async def kept(registry: Registry, id: UUID) -> Any:
    return await registry.find("SELECT * FROM draft WHERE id = $1", id)


async def test_a_draft_is_kept_as_it_came_for_its_owner_alone(registry: Registry) -> None:
    id = await begin(registry)
    assert json.loads((await kept(registry, id))["content"]) == BEGUN
    with pytest.raises(use_cases.NoSuchDraft):
        await save(registry.as_("applicant-2"), id, 1, {})
    with pytest.raises(use_cases.NoSuchDraft):
        await registry.act(lambda session: use_cases.drop_draft(session, id, "applicant-2"))
    assert json.loads((await kept(registry, id))["content"]) == BEGUN


async def test_of_two_windows_in_which_it_is_open_the_second_to_save_is_told(registry: Registry) -> None:
    id = await begin(registry)
    await save(registry, id, 1, {"area": "310106012"})
    with pytest.raises(Stale):
        await save(registry, id, 1, {"area": "310106013"})
    assert json.loads((await kept(registry, id))["content"]) == {"area": "310106012"}


async def test_saving_counts_its_days_anew_and_after_the_days_of_grace_it_is_deleted(registry: Registry) -> None:
    left, looked_after = await begin(registry), await begin(registry)
    expires, grace = registry.law.days("draft"), registry.law.days("draft_grace")
    last_moment = START + timedelta(days=expires + grace - 1)
    await save(registry.on(last_moment), looked_after, 1, {"still": "here"})

    assert await registry.time_passes(last_moment) == []
    assert ("draft_ends", last_moment + timedelta(days=1)) in await registry.time_passes(last_moment + timedelta(1))
    assert await kept(registry, left) is None
    assert (await kept(registry, looked_after))["expires_on"] == last_moment + timedelta(days=expires)


async def test_a_submission_uses_its_draft_up_and_a_returned_form_does_not(registry: Registry) -> None:
    id = await begin(registry)
    with pytest.raises(domain.FormReturned):
        await registry.submit(draft_id=id, capital_currency="XAU")
    assert await kept(registry, id) is not None
    with pytest.raises(domain.FormReturned) as returned:
        await registry.as_("applicant-2").submit(draft_id=id)
    assert [(fault.field, fault.code) for fault in returned.value.faults] == [("draft_id", "draft_unknown")]

    await registry.submit(draft_id=id)
    assert await kept(registry, id) is None
    assert await registry.find("SELECT 1 FROM due WHERE subject = $1", str(id)) is None


def nested(depth: int) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for _ in range(depth - 1):
        content = {"in": content}
    return content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"text": "x" * (MAX_BYTES - 11)}, None),
        ({"text": "x" * (MAX_BYTES - 10)}, "draft_content_too_large"),
        ({"text": "禾" * (MAX_BYTES // 3 - 4)}, None),
        (nested(MAX_DEPTH), None),
        (nested(MAX_DEPTH + 1), "draft_content_too_deep"),
        ({"list": [[["\udead"]]]}, "draft_text_unreadable"),
        ({"\ud800": 1}, "draft_text_unreadable"),
    ],
)
def test_what_cannot_be_given_back_as_it_came_is_not_taken(content: dict[str, Any], code: str | None) -> None:
    try:
        checked_content(content)
        found = []
    except domain.FormReturned as returned:
        found = [fault.code for fault in returned.faults]
    assert found == ([code] if code else [])


@pytest.fixture(scope="module")
def started(spine: Spine) -> Spine:
    return spine.up("registration")


@pytest.mark.usefixtures("started")
class TestOverHttp:
    async def test_one_left_too_long_opens_and_says_what_is_wrong_with_it(self, spine: Spine) -> None:
        begun = (await post(spine, "/v1/drafts", {"content": BEGUN})).json()
        path = f"/v1/drafts/{begun['id']}"
        assert (await get(spine, path)).json()["notices"] == []

        await spine.travel(date(2026, 2, 4))
        opened = await get(spine, path)
        assert (opened.status_code, opened.json()["expired"], opened.headers["etag"]) == (200, True, '"1"')
        assert opened.json()["content"] == BEGUN
        [notice] = opened.json()["notices"]
        assert notice["code"] == "draft_expired"
        assert "2026-02-04" in notice["detail"]
        assert "2026-03-06" in notice["detail"], "the day on which it would be deleted"

        saved = await post(spine, path, {"content": {"area": "310106012"}}, method="PUT", if_match=1)
        assert (saved.json()["version"], saved.json()["expired"]) == (2, False)

    async def test_it_is_nobody_elses_and_no_answer_to_a_command_repeats_it(self, spine: Spine) -> None:
        begun = await post(spine, "/v1/drafts", {"content": form()})
        path = f"/v1/drafts/{begun.json()['id']}"
        assert "Anna Weber" not in begun.text
        for person in ("applicant-2", "agent-1"):
            assert (await get(spine, path, person=person)).status_code == httpx.codes.NOT_FOUND
            assert begun.json()["id"] not in (await get(spine, "/v1/drafts", person=person)).text
        assert (await get(spine, path, person="registrar-1")).status_code == httpx.codes.FORBIDDEN
        assert (await post(spine, path, {"content": {}}, method="PUT")).status_code == 428
        foreign = await post(spine, path, {"content": {}}, method="PUT", person="applicant-2", if_match=1)
        assert foreign.status_code == httpx.codes.NOT_FOUND

        assert (await post(spine, path, method="DELETE")).status_code == httpx.codes.OK
        assert (await get(spine, path)).status_code == httpx.codes.NOT_FOUND

    async def test_a_list_of_many_is_read_page_by_page(self, spine: Spine) -> None:
        begun = [await post(spine, "/v1/drafts", {"content": {"n": n}}, person="agent-1") for n in range(5)]
        read: list[str] = []
        cursor = ""
        while True:
            page = (await get(spine, f"/v1/drafts?limit=2{cursor}", person="agent-1")).json()
            read += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert read == [answer.json()["id"] for answer in reversed(begun)]
