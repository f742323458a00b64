"""Forms, their review, changes, drafts, and leaving the register."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from chaos.world import OWNERS, Affair, World
from demo import applications, careful
from demo.applications import numeral

REGISTRARS = ("registrar-1", "registrar-2")
REVIEW, LEAVING = "registration.review", "registration.deregistration"


def _form(world: World, chance: random.Random) -> dict[str, Any]:
    """Mostly of the district's mix; restaurants call for every kind of permit, the others for an officer or a no."""
    kinds = (applications.restaurant_form, applications.telecom_form, applications.fishery_form)
    kind = chance.choices((None, *kinds), (50, 30, 12, 8))[0]
    if kind is None:
        return next(world.forms)
    form = kind()
    trade_name = f"示例{numeral(world.seed)}号{numeral(next(world.numbers))}"
    name = {**form["enterprise_name"], "trade_name": trade_name}
    return {**form, "enterprise_name": name}


async def file_a_form(world: World, chance: random.Random) -> None:
    form, owner = _form(world, chance), chance.choice(OWNERS)
    _remember(world, await world.do("file", owner, "registration", "/v1/applications", form), owner, form)


async def file_twice_at_once(world: World, chance: random.Random) -> None:
    """A double click: one key, one answer, one effect."""
    form, owner, key = _form(world, chance), chance.choice(OWNERS), careful.fresh_key()
    answers = await asyncio.gather(
        *(world.do("file twice", owner, "registration", "/v1/applications", form, key=key) for _ in range(2))
    )
    _remember(world, answers[0], owner, form)


def _remember(world: World, answer: Any, owner: str, form: dict[str, Any]) -> None:
    if answer is None:
        return
    if answer["status"] == "registered":
        world.remember(Affair(answer["uscc"], owner, form))
    elif answer["status"] == "in_review":
        world.in_review[answer["id"]] = Affair(answer["id"], owner, form)


async def decide_what_is_in_review(world: World, chance: random.Random) -> None:
    """Taken from the queue; then decided, sent back, given more time, or given up again."""
    officer = chance.choice(REGISTRARS)
    state = chance.choice(("open", "open", "mine", "escalated"))
    item = await world.some(chance, officer, "registration", f"/v1/work-items?queue={REVIEW}&state={state}&limit=50")
    if item is None:
        return
    taken = f"/v1/work-items/{item['id']}"
    if item["claimed_by"] is None:
        if await world.do("claim", officer, "registration", f"{taken}/claim", of=taken) is None:
            return
    elif item["claimed_by"] != officer:
        return
    path = f"/v1/applications/{item['subject']}"
    what = chance.choices(("decision", "corrections", "extension", "release"), (60, 25, 8, 7))[0]
    if what == "release":
        await world.do("release", officer, "registration", f"{taken}/release", of=taken)
        return
    affair = world.in_review.get(item["subject"])
    body: dict[str, dict[str, Any]] = {
        "decision": {"outcome": chance.choice(("register", "register", "refuse")), "reason": "已核对，符合规定。"},
        "corrections": {"fields": [{"field": "area", "words": "请核对住所。"}]},
        "extension": {"reason": "complex_case"},
    }
    answer = await world.do(what, officer, "registration", f"{path}/{what}", body[what], of=path)
    if answer is None or affair is None or what == "extension":
        return
    if what == "corrections":
        world.returned.append(affair)
        return
    world.in_review.pop(affair.id, None)
    if answer["status"] == "registered":
        world.remember(Affair(answer["uscc"], affair.owner, affair.form))


async def correct_what_was_returned(world: World, chance: random.Random) -> None:
    """The applicant corrects the form, or withdraws it; some forget it until it lapses."""
    if not world.returned:
        return
    affair = world.returned.pop(chance.randrange(len(world.returned)))
    path, what = f"/v1/applications/{affair.id}", chance.choices(("resubmit", "withdraw", "forget"), (75, 15, 10))[0]
    if what == "resubmit":
        form = {**affair.form, "area": chance.choice(applications.streets())}
        await world.do("resubmit", affair.owner, "registration", f"{path}/resubmission", form, of=path)
    elif what == "withdraw":
        await world.do("withdraw", affair.owner, "registration", f"{path}/withdrawal", of=path)
        world.in_review.pop(affair.id, None)


async def change_something(world: World, chance: random.Random) -> None:
    if affair := world.one(chance):
        path = f"/v1/enterprises/{affair.id}"
        body = applications.change(affair.form, chance)
        await world.do("change", affair.owner, "registration", f"{path}/changes", body, of=path)


async def write_a_draft(world: World, chance: random.Random) -> None:
    """Begun, saved again, and then submitted or dropped or left lying."""
    form, owner = _form(world, chance), chance.choice(OWNERS)
    begun = await world.do("begin draft", owner, "registration", "/v1/drafts", {"content": {"area": form["area"]}})
    if begun is None:
        return
    path = f"/v1/drafts/{begun['id']}"
    await world.do("save draft", owner, "registration", path, {"content": form}, of=path, method="PUT")
    what = chance.choice(("submit", "drop", "leave"))
    if what == "submit":
        filed = {**form, "draft_id": begun["id"]}
        _remember(world, await world.do("file", owner, "registration", "/v1/applications", filed), owner, form)
    elif what == "drop":
        await world.do("drop draft", owner, "registration", path, method="DELETE")


async def leave_the_register(world: World, chance: random.Random) -> None:
    if affair := world.one(chance):
        procedure = {"procedure": chance.choice(("simplified", "general"))}
        path = f"/v1/enterprises/{affair.id}/deregistration"
        await world.do("leave", affair.owner, "registration", path, procedure)


async def object_to_who_leaves(world: World, chance: random.Random) -> None:
    if affair := world.one(chance):
        path = f"/v1/enterprises/{affair.id}/deregistration/objections"
        await world.do("object to who leaves", "applicant-3", "registration", path, {"words": "尚欠货款未清。"})


async def decide_who_leaves(world: World, chance: random.Random) -> None:
    officer = chance.choice(REGISTRARS)
    item = await world.some(chance, officer, "registration", f"/v1/work-items?queue={LEAVING}&state=open&limit=50")
    if item is None:
        return
    taken = f"/v1/work-items/{item['id']}"
    if await world.do("claim", officer, "registration", f"{taken}/claim", of=taken) is None:
        return
    ruling = {"outcome": chance.choice(("deregister", "refuse")), "reason": "清算报告和清税证明齐全。"}
    path = f"/v1/enterprises/{item['subject']}/deregistration/decision"
    await world.do("decide who leaves", officer, "registration", path, ruling, version=1)
