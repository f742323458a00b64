"""What public notices lead to. These move the date of all services, so they come after all others."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.async_api import expect

from tests.browser.window import Window

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_when_notices_have_run_one_has_left_and_an_officer_decides_on_the_other(window: Window) -> None:
    await window.spine.travel(date(2026, 2, 20))
    page = await window.page("applicant-1", f"/en/leaving/{window.story.noticed}")
    await expect(page.locator("main")).to_contain_text("The enterprise left the register on 26 January 2026.")
    await expect(page.locator("main")).to_contain_text("nobody objected")
    await page.close()

    desk = await window.page("registrar-1", "/en/queue?state=false")
    await desk.click(f"a[href$='/register/{window.story.false}']")
    await desk.click("text=Take this case")
    await desk.check("input[value=legal_representative]")
    await desk.click("text=Decide >> nth=-1")
    await expect(desk.locator(".govuk-error-summary")).to_contain_text("Choose a decision")
    assert await desk.is_checked("input[value=legal_representative]"), "what was typed stays"
    await desk.check("input[value=withdraw]")
    await desk.fill("#reason", "公示期满，异议不成立。")
    await desk.click("text=Decide >> nth=-1")
    await expect(desk.locator(".ow-id .govuk-tag")).to_have_text("Withdrawn")
    await expect(desk.locator("main")).to_contain_text("Registration withdrawn")
    await desk.close()

    page = await window.page(None, f"/en/l/{window.story.false}")
    await expect(page.locator("main")).to_contain_text("Not in force")
    await page.close()
