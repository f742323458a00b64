"""The window as people use it: all services as processes, Chromium, and a story that the pages can show."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from services.risk.domain import SCALE
from tests.risk.test_scorecard_versions import act, card, document, hand_in
from tests.spine import Spine, eventually, form, get, name_of_its_own, post

SERVICES = ("registration", "licensing", "supervision", "credit", "risk", "lobby")
AXE = Path(__file__).parents[2] / "services/lobby/assets/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
HOSTILE = "<img src=x onerror=document.title='hit'>"
PATIENCE_MS = 40_000
expect.set_options(timeout=PATIENCE_MS)  # a machine may be busy; a page that is right is told so at once


def require_browser() -> str:
    """Where Chromium is; the run fails with one sentence where something is missing."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: `make browser` installs it.", pytrace=False)
    fonts = shutil.which("fc-list")
    if fonts is None or not subprocess.run([fonts, ":lang=zh"], capture_output=True, check=False).stdout.strip():
        pytest.fail("A font with Chinese characters is missing: `make browser` installs it.", pytrace=False)
    if not AXE.exists():
        pytest.fail("The lobby's pages are not built: `make assets` builds them.", pytrace=False)
    return chromium


@dataclass(slots=True)
class Story:
    """What the pages are about, made over the services' own interfaces."""

    restaurant: dict[str, Any] = field(default_factory=dict)
    permit: dict[str, Any] = field(default_factory=dict)
    in_review: str = ""
    to_correct: str = ""
    refused: str = ""
    to_sign: str = ""
    proposed: str = ""
    noticed: str = ""
    leaving: str = ""
    false: str = ""
    draft: str = ""
    warning: str = ""
    watch_list: str = ""
    override: str = ""
    scorecard: str = ""


@dataclass(slots=True)
class Window:
    """`signed_in` keeps one browser context for each person; each test opens pages of its own in it."""

    spine: Spine
    browser: Browser
    story: Story = field(default_factory=Story)
    contexts: dict[str, BrowserContext] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.spine.service("lobby").url

    async def signed_in(self, person: str | None) -> BrowserContext:
        if (name := person or "") not in self.contexts:
            context = await self.browser.new_context(reduced_motion="reduce", locale="zh-CN")
            context.set_default_timeout(PATIENCE_MS)
            if person is not None:
                await sign_in(self, await context.new_page(), person)
            self.contexts[name] = context
        return self.contexts[name]

    async def page(self, person: str | None, path: str) -> Page:
        page = await (await self.signed_in(person)).new_page()
        await page.goto(f"{self.url}{path}")
        return page


async def sign_in(window: Window, page: Page, person: str, language: str = "zh") -> None:
    await page.goto(f"{window.url}/{language}/sign-in")
    await page.click(f"button[value={person}]")
    await page.wait_for_url(f"{window.url}/{language}/")


def start(spine: Spine) -> None:
    """All services as processes; the lobby is told where the others are."""
    for name in SERVICES:
        spine.service(name)
    urls = {f"{name.upper()}_URL": spine.service(name).url for name in SERVICES}
    for name in SERVICES:
        spine.service(name).start(**urls)
    for name in SERVICES:
        spine.service(name).wait_ready()


def telecom(trade_name: str) -> dict[str, Any]:
    return form(
        activities=["6311"],
        enterprise_name={"division": "上海", "trade_name": trade_name, "industry": "通信科技", "form": "有限公司"},
        permit_facts={},
    )


async def tell(spine: Spine) -> Story:
    """A restaurant whose commitment was found broken, a telecom venture in review, another sent back, a fishery
    refused, two that leave the register, and a form half done."""
    story = Story()
    investors = form()["investors"]
    investors[0]["name"] = HOSTILE
    name = {"division": "上海", "trade_name": "示例海棠", "industry": "餐饮", "form": "有限公司"}
    restaurant = form(enterprise_name=name, investors=investors, activities=["6210", "5211"], permit_facts={})
    story.restaurant = await _submitted(spine, restaurant, person="applicant-1")
    story.in_review = (await _submitted(spine, telecom("北岸"), person="applicant-1"))["id"]
    story.refused = (await _submitted(spine, form(activities=["0422"]), person="applicant-1"))["id"]
    story.to_correct = (await _submitted(spine, telecom("南山"), person="applicant-1"))["id"]
    await send_back(spine, story.to_correct)
    waiting = form()
    waiting["investors"][0] |= {"name": HOSTILE, "signer": "applicant-3"}
    story.to_sign = (await _submitted(spine, waiting, person="applicant-1"))["id"]
    story.proposed = await propose(spine, "registrar-1")
    story.noticed = await leave(spine, "simplified")
    story.leaving = await leave(spine, "simplified", HOSTILE)
    story.false = await say_false(spine)
    draft = {"name": {"division": "上海", "trade_name": HOSTILE}, "activities": ["6210"]}
    story.draft = (await post(spine, "/v1/drafts", {"content": draft})).json()["id"]
    await _break_a_commitment(spine, story)
    await _keep_an_eye(spine, story)
    await _try_another_scorecard(spine, story)
    return story


async def _submitted(spine: Spine, body: dict[str, Any], **how: Any) -> dict[str, Any]:
    answer = await post(spine, "/v1/applications", body, **how)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def item_of(spine: Spine, application_id: str) -> Mapping[str, Any]:
    async def found() -> Mapping[str, Any] | None:
        answer = await get(spine, "/v1/work-items?limit=200", person="registrar-2")
        return next((one for one in answer.json()["items"] if one["subject"] == application_id), None)

    return await eventually(found)


async def send_back(spine: Spine, application_id: str) -> None:
    item = await item_of(spine, application_id)
    claim = f"/v1/work-items/{item['id']}/claim"
    assert (await post(spine, claim, {}, person="registrar-2", if_match=item["version"])).status_code == 200
    asked = {"fields": [{"field": "registered_capital", "words": f"请按验资报告填写 {HOSTILE}"}]}
    path = f"/v1/applications/{application_id}/corrections"
    assert (await post(spine, path, asked, person="registrar-2", if_match=1)).status_code == 200


async def propose(spine: Spine, officer: str) -> str:
    """An application whose capital is so large that a second officer has to agree to what this one proposes."""
    large = telecom(name_of_its_own()["trade_name"]) | {"registered_capital": "300000000.00", "capital_currency": "CNY"}
    application_id = (await _submitted(spine, large, person="applicant-1"))["id"]
    item = await item_of(spine, application_id)
    claim = f"/v1/work-items/{item['id']}/claim"
    assert (await post(spine, claim, {}, person=officer, if_match=item["version"])).status_code == 200
    ruling, path = {"outcome": "register", "reason": "已核对业务范围。"}, f"/v1/applications/{application_id}/decision"
    assert (await post(spine, path, ruling, person=officer, if_match=1)).status_code == 200
    return str(application_id)


async def leave(spine: Spine, procedure: str, objection: str = "") -> str:
    """An enterprise that has asked to leave the register; where somebody objects, it then asks for an officer."""
    uscc = str((await _submitted(spine, form(), person="applicant-1"))["uscc"])
    path = f"/v1/enterprises/{uscc}/deregistration"
    assert (await post(spine, path, {"procedure": procedure}, person="applicant-1")).status_code == 201
    if objection:
        objected = await post(spine, f"{path}/objections", {"words": objection}, person="applicant-2")
        assert objected.status_code == 201, objected.text
        assert (await post(spine, path, {"procedure": "general"}, person="applicant-1")).status_code == 201
    return uscc


async def say_false(spine: Spine) -> str:
    """An enterprise of whose papers an officer has found that they are false; somebody objects."""
    uscc = str((await _submitted(spine, form(), person="applicant-1"))["uscc"])
    path = f"/v1/enterprises/{uscc}/false-registration"
    assert (await post(spine, path, {"reason": HOSTILE}, person="registrar-2")).status_code == 201
    assert (await post(spine, f"{path}/objections", {"words": HOSTILE}, person="applicant-2")).status_code == 201
    return uscc


async def _break_a_commitment(spine: Spine, story: Story) -> None:
    """Granted on commitment, checked, found unkept: a record, a listing, the mode shut, class D."""
    uscc = story.restaurant["uscc"]

    async def due() -> bool:
        answer = await get(spine, f"/v1/enterprises/{uscc}/requirements", service="licensing")
        return answer.status_code == 200

    await eventually(due)
    wanted = {"item_id": "P033", "way": "commitment", "commitment_accepted": True}
    granted = await post(spine, f"/v1/enterprises/{uscc}/permit-applications", wanted, service="licensing")
    assert granted.status_code == 201, granted.text
    story.permit = (await get(spine, f"/v1/enterprises/{uscc}/permits", service="licensing")).json()["items"][0]
    for account, department in (("inspector-1", "market_regulation"), ("inspector-4", "fire_and_rescue")):
        await _supervise(spine, "/v1/inspectors", {"account": account, "department": department, "conflicts": []})
    trigger = {
        "uscc": uscc, "reason": "commitment_check", "commitment_id": story.permit["commitment_id"],
        "inspectors": ["inspector-4", "inspector-1"],
    }  # fmt: skip

    async def known() -> dict[str, Any] | None:
        answer = await post(spine, "/v1/inspections", trigger, service="supervision", person="supervisor-1")
        return answer.json() if answer.status_code == 201 else None

    inspection = await eventually(known)
    path, code = f"/v1/inspections/{inspection['id']}", inspection["code"]
    result = {"code": code, "results": [{"code_set": "joint_inspection", "code": "09"}]}
    await _supervise(spine, f"{path}/result", result, person="inspector-4")
    await _supervise(spine, f"{path}/confirmation", {"code": code}, person="inspector-1")

    async def recorded() -> str | None:
        answer = await get(spine, f"/v1/enterprises/{uscc}/credit", service="credit", person="credit-1")
        rows = answer.json().get("records", [])
        return next((row["id"] for row in rows if row["ground"] == "CB1"), None)

    listing = {"list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": await eventually(recorded)}
    answer = await post(spine, f"/v1/enterprises/{uscc}/listings", listing, service="credit", person="credit-1")
    assert answer.status_code == 201, answer.text
    await spine.quiet()


async def _keep_an_eye(spine: Spine, story: Story) -> None:
    """The sudden rise is a warning; a regulator watches the restaurant, and an analyst proposes another class."""
    uscc, at_risk = story.restaurant["uscc"], {"service": "risk", "person": "regulator-1"}

    async def warned() -> str | None:
        answer = await get(spine, f"/v1/risk/warnings?uscc={uscc}", purpose="case_handling", **at_risk)
        return next((one["id"] for one in answer.json()["items"]), None)

    story.warning = await eventually(warned)
    story.watch_list = (await post(spine, "/v1/watch-lists", {"name": "南京西路餐饮"}, **at_risk)).json()["id"]
    path = f"/v1/watch-lists/{story.watch_list}/enterprises/{uscc}"
    assert (await post(spine, path, method="PUT", **at_risk)).status_code == 200
    wanted = {"risk_class": "C", "reason": HOSTILE, "expires_on": "2026-06-30"}
    path = f"/v1/enterprises/{uscc}/risk/override"
    story.override = (await post(spine, path, wanted, service="risk", person="analyst-1")).json()["id"]


async def _try_another_scorecard(spine: Spine, story: Story) -> None:
    """In the shadow a scorecard by which no fact demands a class, so that the restaurant would be in another one."""
    written = document("without-demands")
    for step in (step for rule in written["rules"] for step in rule["steps"]):
        step["at_least"] = None
    written["bands"][3]["from_score"] = SCALE
    drafted = (await hand_in(spine, written)).raise_for_status().json()
    story.scorecard = drafted["digest"]
    (await act(spine, story.scorecard, "/shadow", drafted["version"])).raise_for_status()

    async def compared() -> bool:
        return (await card(spine, story.scorecard))["progress"]["complete_since"] is not None

    await eventually(compared)


async def _supervise(spine: Spine, path: str, body: dict[str, Any], *, person: str = "supervisor-1") -> None:
    answer = await post(spine, path, body, service="supervision", person=person)
    assert answer.status_code < 300, answer.text
