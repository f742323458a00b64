"""What those who supervise do about risk: narrow the list, read why, act on a warning, watch, set a class by two."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.window import HOSTILE, PATIENCE_MS, Window, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def desk(window: Window, person: str, *, script: bool = True) -> tuple[BrowserContext, Page]:
    """Somebody who has signed in a moment ago, and has said of nothing yet why he looks."""
    context = await window.browser.new_context(reduced_motion="reduce", java_script_enabled=script)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await sign_in(window, page, person, "en")
    return context, page


async def say_why(page: Page) -> None:
    await expect(page.locator("h1")).to_have_text("Why do you look?")
    await page.check("input[value=supervision_planning]")
    await page.click("main form button")


async def is_for_internal_use(page: Page) -> None:
    await expect(page.locator("main [role=note]").first).to_contain_text("not a ground for penalty")


async def test_a_regulator_narrows_the_list_reads_why_and_acts_on_a_warning(window: Window) -> None:
    uscc = window.story.restaurant["uscc"]
    context, page = await desk(window, "supervisor-1")
    await page.goto(f"{window.url}/en/risk")
    await say_why(page)
    await is_for_internal_use(page)

    await page.select_option("#sector", "A")
    await page.click("form[role=search] button")
    await expect(page.locator("main")).to_contain_text("No enterprise fits all filters.")
    await page.select_option("#sector", "H")
    await page.select_option("#area", "310106012")
    await page.select_option("#indicator", "serious_list_active")
    await page.fill("#changed_since", "tomorrow")
    await page.click("form[role=search] button")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Enter the date")
    await page.fill("#changed_since", "2026-01-01")
    await page.click("form[role=search] button")
    await page.click(".ow-views a:has-text('D')")
    assert re.search(r"sector=H.*indicator=serious_list_active.*risk_class=D", page.url), "each filter stays"
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.click(f"a[href$='/risk/{uscc}']")
    await say_why(page)

    await is_for_internal_use(page)
    await expect(page.locator(".ow-score__big")).to_contain_text("Class D, high risk")
    await expect(page.locator("section:has(#since-title)")).to_contain_text("On the serious illegal and dishonest list")
    await expect(page.locator("section:has(#ways-title)")).to_contain_text("If this counted no more")
    await expect(page.locator("section:has(#ways-title)")).to_contain_text("5 January 2027")

    await page.click("section:has(#warnings-title) a")
    await is_for_internal_use(page)
    await page.click("button:has-text('Take it up')")
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("Taken up")
    await expect(page.locator(".ow-pairs")).to_contain_text("supervisor-1")
    await page.click("button:has-text('Close the warning')")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Choose an outcome")
    await page.check("input[value=referred]")
    await page.fill("#note", "Passed on to the fire brigade.")
    await page.click("button:has-text('Close the warning')")
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("Closed")
    await expect(page.locator("blockquote")).to_contain_text("Passed on to the fire brigade.")
    await expect(page.locator("main form")).to_have_count(0)
    await context.close()


async def test_when_registration_is_away_the_list_goes_by_uscc_and_says_why(window: Window) -> None:
    uscc = window.story.restaurant["uscc"]
    context, page = await desk(window, "auditor-1")
    await page.goto(f"{window.url}/en/risk")
    await say_why(page)
    listed = page.locator("tbody th", has_text=uscc)
    await expect(listed).to_contain_text("餐饮")
    registration = window.spine.service("registration")
    registration.freeze()
    try:
        await page.reload()
        await expect(page.locator("main")).to_contain_text("Registration does not answer")
        await expect(listed.locator("a")).to_have_text(uscc)
    finally:
        registration.thaw()
    await context.close()
    await window.spine.quiet()


async def test_a_supervisor_keeps_a_watch_list_without_script(window: Window) -> None:
    uscc = window.story.restaurant["uscc"]
    context, page = await desk(window, "supervisor-1", script=False)
    await page.goto(f"{window.url}/en/risk/watch-lists")
    await page.click("button:has-text('Make the list')")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Give the list a name")
    await page.fill("#name", "Catering")
    await page.click("button:has-text('Make the list')")
    await say_why(page)
    list_url = page.url
    await page.fill("#uscc", "nonsense")
    await page.click("button:has-text('Put it on the list')")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Enter the USCC")

    await page.goto(f"{window.url}/en/risk/{uscc}")
    await say_why(page)
    await page.click("#watch button:has-text('Put on')")
    await expect(page.locator("#watch button")).to_contain_text("Take off")
    await page.goto(list_url)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("section:has(#changes-title)")).to_contain_text("Class C to class D")
    await page.fill("#name", HOSTILE)
    await page.click("button:has-text('Rename')")
    await expect(page.locator("h1")).to_have_text(HOSTILE)
    await page.click("button:has-text('Take off')")
    await expect(page.locator("main")).to_contain_text("Nothing on this list yet")
    await page.click("summary")
    await page.click("button:has-text('Delete it for good')")
    await expect(page.locator("main")).to_contain_text("No list yet")
    await context.close()


async def test_a_class_is_set_by_two_people_and_stands_beside_the_computed_one(window: Window) -> None:
    uscc = window.story.restaurant["uscc"]
    context, page = await desk(window, "analyst-1")
    await page.goto(f"{window.url}/en/risk/overrides/{window.story.override}")
    await say_why(page)
    await expect(page.locator("main")).to_contain_text("somebody else has to sign")
    await page.fill("#reason", "Entered too early.")
    await page.click("button:has-text('End it')")
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("Ended")

    await page.goto(f"{window.url}/en/risk/{uscc}/override")
    await say_why(page)
    await page.check("input[value=B]")
    await page.fill("#expires_on", "2028-01-01")
    await page.click("button:has-text('Propose')")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Give the reason")
    await page.fill("#reason", "The premises were seen to be in order.")
    await page.click("button:has-text('Propose')")
    await expect(page.locator(".govuk-error-summary a")).to_have_attribute("href", "#expires_on")
    await page.fill("#expires_on", "2026-03-01")
    await page.click("button:has-text('Propose')")
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("Waits for a second signature")
    await context.close()

    context, page = await desk(window, "regulator-1")
    await page.goto(f"{window.url}/en/risk/overrides")
    await say_why(page)
    await page.click("tbody a:has-text('Read')")
    await page.click("main button:has-text('Sign')")
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("Holds")
    await page.goto(f"{window.url}/en/risk/{uscc}")
    await say_why(page)
    beside = page.locator("section:has(#override-title)")
    await expect(beside).to_contain_text("The premises were seen to be in order.")
    await expect(beside).to_contain_text("Proposed by analyst-1, signed by regulator-1")
    await expect(page.locator(".ow-score__big")).to_contain_text("Class D, high risk")
    await context.close()
