"""What guards the pages: forms, the policy of what may run, names that are code, and who sees what."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.window import Window, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def cookies(window: Window, person: str) -> dict[str, str]:
    context = await window.signed_in(person)
    return {one["name"]: one["value"] for one in await context.cookies() if one["domain"] == "127.0.0.1"}


async def test_a_form_needs_its_session_its_token_and_its_own_site(window: Window) -> None:
    mine, other = await cookies(window, "applicant-1"), await cookies(window, "registrar-1")
    jar = "; ".join(f"{name}={value}" for name, value in mine.items())
    async with httpx.AsyncClient(base_url=window.url, headers={"cookie": jar}) as client:
        text = (await client.get("/en/apply")).text
        token = re.findall(r'name="_token" value="([0-9a-f]{64})"', text)[0]
        path = f"/en/apply/{window.story.draft}/capital"

        async def sent(data: dict[str, str], **headers: str) -> int:
            return (await client.post(path, data=data, headers=headers)).status_code

        assert await sent({"_token": token}) == 422, "a form of ours is read, and has faults"
        assert await sent({}) == 403
        assert await sent({"_token": "0" * 64}) == 403
        assert await sent({"_token": token}, **{"sec-fetch-site": "cross-site"}) == 403
        assert await sent({"_token": token}, **{"sec-fetch-site": "same-site"}) == 403
        assert await sent({"_token": token}, origin="https://elsewhere.example") == 403
        stolen = "; ".join(f"{name}={value}" for name, value in other.items())
        assert await sent({"_token": token}, cookie=stolen) == 403
        assert await sent({"_token": token}, cookie="") == 303, "signed out: sign in first"


async def test_a_role_opens_its_own_pages_and_no_others(window: Window) -> None:
    story = window.story
    pages = {
        "applicant-1": ("cases", "apply", f"cases/{story.in_review}"),
        "registrar-1": ("queue", f"queue/{story.in_review}"),
        "regulator-1": ("risk", f"risk/{story.restaurant['uscc']}"),
        "operator-1": ("operations",),
    }
    for person in pages:
        jar = "; ".join(f"{name}={value}" for name, value in (await cookies(window, person)).items())
        async with httpx.AsyncClient(base_url=window.url, headers={"cookie": jar}, timeout=30) as client:
            for whose, paths in pages.items():
                for path in paths:
                    status = (await client.get(f"/en/{path}")).status_code
                    assert status == (200 if whose == person else 403), (person, path)
    async with httpx.AsyncClient(base_url=window.url) as client:
        for paths in pages.values():
            for path in paths:
                answer = await client.get(f"/en/{path}")
                assert (answer.status_code, answer.headers["location"].startswith("/en/sign-in")) == (303, True)


async def test_what_belongs_to_somebody_else_is_not_there(window: Window) -> None:
    story = window.story
    jar = "; ".join(f"{name}={value}" for name, value in (await cookies(window, "applicant-2")).items())
    async with httpx.AsyncClient(base_url=window.url, headers={"cookie": jar}, timeout=30) as client:
        for path in (
            f"cases/{story.restaurant['id']}", f"cases/{story.restaurant['id']}/timeline",
            f"cases/{story.restaurant['id']}/live", f"cases/{story.restaurant['id']}/permits/P033",
            f"cases/{story.to_correct}/corrections", f"apply/{story.draft}", f"apply/{story.draft}/check", "nowhere",
        ):  # fmt: skip
            assert (await client.get(f"/en/{path}")).status_code == 404, path


async def test_applicants_see_nothing_of_risk_anywhere(window: Window) -> None:
    story = window.story
    seen = []
    for path in (
        "", "cases", f"cases/{story.restaurant['id']}", f"cases/{story.restaurant['id']}/timeline",
        f"cases/{story.restaurant['id']}/permits/P033", f"v/{story.permit['id']}", "help", "privacy",
    ):  # fmt: skip
        page = await window.page("applicant-1", f"/zh/{path}")
        text = await page.locator("body").inner_text()
        seen += [path for word in ("风险分类", "高风险", "D 类", "评分", "检查码") if word in text]
        await page.goto(f"{window.url}/en/{path}")
        text = await page.locator("body").inner_text()
        seen += [path for word in ("Class D", "high risk", "Inspection assigned") if word in text]
        await page.close()
    assert seen == []


async def test_names_that_are_code_are_only_names(window: Window) -> None:
    story = window.story
    for person, path in (
        ("applicant-1", f"apply/{story.draft}/name"), ("applicant-1", f"apply/{story.draft}/check"),
        ("applicant-1", f"cases/{story.to_correct}/corrections"), ("registrar-1", f"queue/{story.to_correct}"),
    ):  # fmt: skip
        page = await window.page(person, f"/en/{path}")
        assert await page.locator("img[src=x]").count() == 0
        assert "hit" not in await page.title()
        await page.close()


async def test_the_policy_stops_what_is_not_ours(window: Window) -> None:
    page = await window.page("applicant-1", f"/en/cases/{window.story.restaurant['id']}")
    await expect(page.locator("[data-live=on]")).to_be_visible()
    assert await page.evaluate(
        "(() => { try { document.createElement('div').innerHTML = '<b>x</b>'; return 'made' }"
        " catch (error) { return error.name } })()"
    ) == "TypeError"  # fmt: skip
    await page.evaluate(
        """() => { const bad = document.createElement('div'); bad.id = 'bad'; bad.setAttribute('hx-get', '/en/help');
        document.body.append(bad); htmx.process(bad) }"""
    )
    assert not await page.evaluate("document.getElementById('bad').hasAttribute('hx-get')"), "without this page's nonce"
    coloured = await page.evaluate(
        """() => { const one = document.createElement('p'); one.setAttribute('style', 'color: red');
        document.body.append(one); return getComputedStyle(one).color }"""
    )
    assert coloured != "rgb(255, 0, 0)"
    await page.close()


async def test_a_page_says_when_its_stream_is_lost_and_finds_it_again(window: Window) -> None:
    page = await window.page("applicant-1", f"/en/cases/{window.story.restaurant['id']}")
    await expect(page.locator("[data-live=on]")).to_be_visible()
    lobby = window.spine.service("lobby")
    lobby.kill()
    await expect(page.locator("[data-live=lost]")).to_be_visible()
    await expect(page.locator(".ow-live__lost")).to_be_visible()
    urls = {f"{name.upper()}_URL": process.url for name, process in window.spine.processes.items()}
    lobby.start(**urls).wait_ready()
    await expect(page.locator("[data-live=on]")).to_be_visible()
    await page.close()


async def test_a_sign_in_that_was_not_begun_here_is_refused(window: Window) -> None:
    context = await window.browser.new_context()
    page = await context.new_page()
    answer = await page.goto(f"{window.url}/sign-in/back?code=made-up&state=forged")
    assert answer is not None
    assert answer.status == 403
    await page.goto(f"{window.url}/en/sign-in?after=https://elsewhere.example/")
    await page.click("button[value=applicant-1]")
    await page.wait_for_url(f"{window.url}/en/")
    before = {one["value"] for one in await context.cookies() if one["name"] == "__Host-session"}
    await page.click("text=Sign out")
    assert not {one["value"] for one in await context.cookies() if one["name"] == "__Host-session"}
    await sign_in(window, page, "applicant-1", "en")
    after = [one for one in await context.cookies() if one["name"] == "__Host-session"]
    assert {one["value"] for one in after}.isdisjoint(before)
    assert all(one["secure"] and one["httpOnly"] and one["sameSite"] == "Lax" for one in after)
    assert "eyJ" not in str(await context.storage_state()), "no token reaches the browser"
    await context.close()
