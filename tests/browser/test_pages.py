"""Every page in both languages and two sizes: no barrier, no error, no failed request, no side scroll."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.async_api import Page, Request

from tests.browser.window import AXE, RUN_AXE, SIDEWAYS, TAGS, Story, Window

pytestmark = pytest.mark.asyncio(loop_scope="package")

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
Where = Callable[[Story], str]
NAME = "division=上海&trade_name=示例海棠&industry=餐饮&form=有限公司&enterprise_type=limited_company&activity=6210"
PAGES: dict[str, tuple[str | None, Where]] = {
    "start": (None, lambda _: ""),
    "help": (None, lambda _: "help"),
    "accessibility": (None, lambda _: "accessibility"),
    "privacy": (None, lambda _: "privacy"),
    "certificate": (None, lambda story: f"v/{story.permit['id']}"),
    "look up a name": (None, lambda _: "names"),
    "a name that is taken": ("applicant-1", lambda _: f"names?{NAME}"),
    "a name that is free": ("applicant-2", lambda _: f"names?{NAME.replace('示例海棠', '示例银杏')}"),
    "look up a licence": (None, lambda _: "l"),
    "cases": ("applicant-1", lambda _: "cases"),
    "case to be signed": ("applicant-1", lambda story: f"cases/{story.to_sign}"),
    "nothing to sign": ("applicant-1", lambda _: "signatures"),
    "to sign": ("applicant-3", lambda _: "signatures"),
    "read and sign": ("applicant-3", lambda story: f"signatures/{story.to_sign}/investors.0"),
    "apply": ("applicant-1", lambda _: "apply"),
    "tasks": ("applicant-1", lambda story: f"apply/{story.draft}"),
    "step": ("applicant-1", lambda story: f"apply/{story.draft}/name"),
    "activities": ("applicant-1", lambda story: f"apply/{story.draft}/activities?q=餐"),
    "investors": ("applicant-1", lambda story: f"apply/{story.draft}/investors"),
    "investor": ("applicant-1", lambda story: f"apply/{story.draft}/investors/1"),
    "permits": ("applicant-1", lambda story: f"apply/{story.draft}/permits"),
    "check": ("applicant-1", lambda story: f"apply/{story.draft}/check"),
    "case": ("applicant-1", lambda story: f"cases/{story.restaurant['id']}"),
    "refused case": ("applicant-1", lambda story: f"cases/{story.refused}"),
    "case sent back": ("applicant-1", lambda story: f"cases/{story.to_correct}"),
    "corrections": ("applicant-1", lambda story: f"cases/{story.to_correct}/corrections"),
    "permit": ("applicant-1", lambda story: f"cases/{story.restaurant['id']}/permits/P033"),
    "leaving": ("applicant-1", lambda story: f"leaving/{story.leaving}"),
    "under notice": ("applicant-1", lambda story: f"leaving/{story.noticed}"),
    "ask to leave": ("applicant-1", lambda story: f"leaving/{story.restaurant['uscc']}"),
    "object": ("applicant-2", lambda story: f"leaving/{story.noticed}"),
    "licence of one that leaves": (None, lambda story: f"l/{story.noticed}"),
    "queue of those that leave": ("registrar-1", lambda _: "queue?state=leaving"),
    "leaving, with an officer": ("registrar-1", lambda story: f"queue/leaving/{story.leaving}"),
    "register": ("registrar-1", lambda _: "register?q=示例"),
    "nobody found": ("registrar-1", lambda _: "register?q=nobody"),
    "held": ("registrar-1", lambda story: f"register/{story.restaurant['uscc']}"),
    "said to be false": ("registrar-1", lambda story: f"register/{story.false}"),
    "notice of a false registration": ("applicant-2", lambda story: f"false-registration/{story.false}"),
    "licence said to be false": (None, lambda story: f"l/{story.false}"),
    "queue of false registrations": ("registrar-1", lambda _: "queue?state=false"),
    "queue": ("registrar-1", lambda _: "queue"),
    "empty queue": ("registrar-1", lambda _: "queue?q=nothing"),
    "review": ("registrar-1", lambda story: f"queue/{story.in_review}"),
    "to countersign": ("registrar-2", lambda _: "queue?state=second"),
    "countersign": ("registrar-2", lambda story: f"queue/{story.proposed}"),
    "ask for corrections": ("registrar-1", lambda story: f"queue/{story.in_review}/corrections"),
    "purpose": ("analyst-1", lambda _: "risk"),
    "risk list": ("regulator-1", lambda _: "risk"),
    "enterprise": ("regulator-1", lambda story: f"risk/{story.restaurant['uscc']}"),
    "risk list narrowed": ("regulator-1", lambda _: "risk?risk_class=A&sector=H&changed_since=2026-01-01"),
    "distribution": ("regulator-1", lambda _: "risk/distribution?by=area&days=366"),
    "warnings": ("regulator-1", lambda _: "risk/warnings"),
    "no warnings": ("regulator-1", lambda _: "risk/warnings?state=closed&kind=agent_cluster"),
    "warning": ("regulator-1", lambda story: f"risk/warnings/{story.warning}"),
    "watch lists": ("regulator-1", lambda _: "risk/watch-lists"),
    "watch list": ("regulator-1", lambda story: f"risk/watch-lists/{story.watch_list}"),
    "overrides": ("regulator-1", lambda _: "risk/overrides"),
    "override": ("regulator-1", lambda story: f"risk/overrides/{story.override}"),
    "propose override": ("regulator-1", lambda story: f"risk/{story.restaurant['uscc']}/override"),
    "scorecards": ("regulator-1", lambda _: "risk/scorecards"),
    "scorecard": ("regulator-1", lambda story: f"risk/scorecards/{story.scorecard}"),
    "comparison": ("regulator-1", lambda story: f"risk/scorecards/{story.scorecard}/comparison?by=ownership"),
    "who would change": ("regulator-1", lambda story: f"risk/scorecards/{story.scorecard}/comparison/enterprises"),
    "operations": ("operator-1", lambda _: "operations"),
}


async def say_why(window: Window) -> None:
    """The regulator has said why, so that the pages themselves are seen."""
    for path in ("risk", f"risk/{window.story.restaurant['uscc']}"):
        page = await window.page("regulator-1", f"/en/{path}")
        if await page.locator("input[name=purpose]").count():
            await page.check("input[value=supervision_planning]")
            await page.click("main form button")
        await page.close()


def watched(page: Page) -> list[str]:
    """What the browser complains of, from now on."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(f"script: {error}"))

    def failed(request: Request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):
            found.append(f"failed: {request.url}")

    page.on("requestfailed", failed)
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    return found


async def barriers(page: Page) -> list[str]:
    """What axe finds, on the page as it stands."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    result = await page.evaluate(RUN_AXE, TAGS)
    return [f"{one['id']}: {[node['html'][:90] for node in one['nodes']][:3]}" for one in result["violations"]]


@pytest.mark.parametrize("name", PAGES)
async def test_page(window: Window, name: str) -> None:
    person, where = PAGES[name]
    if person == "regulator-1":
        await say_why(window)
    page = await (await window.signed_in(person)).new_page()
    complaints = watched(page)
    found = []
    for language in ("zh", "en"):
        await page.set_viewport_size({"width": 1280, "height": 900})
        await page.goto(f"{window.url}/{language}/{where(window.story)}", wait_until="load")
        assert await page.locator("h1").count() == 1
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            found += [f"{language} {size} {barrier}" for barrier in await barriers(page)]
            if await page.evaluate(SIDEWAYS):
                found.append(f"{language} {size} scrolls sideways")
    await page.close()
    assert found + complaints == []


async def test_no_page_scrolls_sideways_at_320_pixels(window: Window) -> None:
    await say_why(window)
    wide = []
    for name in (
        "step", "activities", "case", "leaving", "queue", "review", "leaving, with an officer", "enterprise",
        "held", "said to be false",
        "operations", "risk list", "distribution",
        "warnings", "warning", "watch list", "overrides", "override", "scorecards", "scorecard", "comparison",
        "who would change",
    ):  # fmt: skip
        person, where = PAGES[name]
        page = await (await window.signed_in(person)).new_page()
        await page.set_viewport_size({"width": 320, "height": 640})
        await page.goto(f"{window.url}/en/{where(window.story)}")
        wide += [name] if await page.evaluate(SIDEWAYS) else []
        await page.close()
    assert wide == []


async def test_pages_stay_within_their_budget(window: Window) -> None:
    """On the wire: a page 120 KB, one with charts 320 KB (the font is 29 of them, and comes once)."""
    await say_why(window)
    for person, path, most in (
        ("applicant-1", f"cases/{window.story.restaurant['id']}", 120),
        ("regulator-1", f"risk/{window.story.restaurant['uscc']}", 320),
    ):
        context = await window.browser.new_context(storage_state=await (await window.signed_in(person)).storage_state())
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        sizes: list[int] = []
        await session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        await page.goto(f"{window.url}/zh/{path}", wait_until="load")
        assert 0 < sum(sizes) <= most * 1024, path
        await context.close()
