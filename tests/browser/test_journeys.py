"""One journey for each role, through all services; also by keyboard alone, and without script."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from libs.common import evidence, signature
from libs.common.settings import Settings, load
from tests.browser.test_pages import NAME
from tests.browser.window import HOSTILE, Window, item_of, propose, sign_in, telecom
from tests.spine import eventually, form, get, post

pytestmark = pytest.mark.asyncio(loop_scope="package")

PICTURES = Path(__file__).parents[2] / "docs/pictures"
FRAME = {"x": 0, "y": 0, "width": 1280, "height": 1330}


async def picture(window: Window, page: Page, name: str) -> None:
    """The README's pictures are taken anew where ONE_WINDOW_PICTURES is set; otherwise they go to the test's folder."""
    folder = PICTURES if os.environ.get("ONE_WINDOW_PICTURES") else window.spine.folder
    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.evaluate("document.activeElement.blur()")
    await page.wait_for_timeout(500)
    await page.screenshot(path=folder / f"{name}.png", full_page=True, clip=FRAME)


async def go_on(page: Page) -> None:
    await page.click("button[value=continue]")


async def fill_form(page: Page, base: str) -> None:
    """Steps 1 to 7 as an applicant types them: full-width digits, commas, a Chinese date."""
    await page.goto(f"{base}/name")
    await page.fill("#trade_name", "青禾")
    await page.fill("#industry", "餐饮")
    await page.select_option("#form", "有限公司")
    await page.check("input[value=limited_company]")
    await go_on(page)
    await page.select_option("#area", "310106012")
    await page.fill("#starts", "2026年2月1日")
    await go_on(page)
    await page.fill("#q", "餐")
    await page.press("#q", "Enter")
    await page.click("button[name=add][value='6210']")
    await page.click("button[name=continue]")
    await page.fill("#registered_capital", "５，000，000")
    await page.select_option("#capital_currency", "CNY")
    await go_on(page)
    for number, (name, country, share) in enumerate(((HOSTILE, "DE", "６０"), ("上海禾苗商贸有限公司", "CN", "40")), 1):
        await page.goto(f"{base}/investors/{number}")
        await page.fill("#name", name)
        await page.check("input[value=legal]")
        await page.select_option("#country", country)
        await page.fill("#share", share)
        await go_on(page)
    await page.click("button[name=continue]")
    await page.fill("#name", "Anna Weber")
    await page.select_option("#nationality", "DE")
    await go_on(page)
    await expect(page.locator("input[type=radio][value=no]").first).to_be_visible()
    for answer in await page.locator("input[type=radio][value=no]").all():
        await answer.check()
    await page.click("main form button.govuk-button")


async def test_a_name_is_looked_up_kept_and_given_back(window: Window) -> None:
    page = await window.page("applicant-3", "/zh/names")
    await page.fill("#trade_name", "示例玉兰")
    await page.fill("#industry", "餐饮")
    await page.select_option("#form", "有限公司")
    await page.check("input[value=limited_company]")
    await page.fill("#activity", "6210")
    await page.click("main form[method=get] button")
    await expect(page.locator("main")).to_contain_text("未发现禁限用情形")
    await page.click("text=保留该名称")
    await expect(page.locator("table")).to_contain_text("上海示例玉兰餐饮有限公司")
    other = await window.page("applicant-2", f"/en/names?{NAME.replace('示例海棠', '示例玉兰')}")
    await expect(other.locator("main")).to_contain_text("It cannot be taken")
    await expect(other.locator("main")).to_contain_text("Article 17")
    await other.close()
    await page.click("table button")
    await expect(page.locator("table")).to_have_count(0)
    await page.close()


async def test_an_investor_reads_the_form_and_signs_it_and_it_is_registered(window: Window) -> None:
    body = form()
    body["investors"][1]["signer"] = "applicant-2"
    filed = (await post(window.spine, "/v1/applications", body)).json()
    assert filed["status"] == "awaiting_signatures"
    page = await window.page("applicant-2", "/en/signatures")
    await page.click(f"a[href$='/signatures/{filed['id']}/investors.1']")
    await expect(page.locator("main")).to_contain_text("上海禾苗商贸有限公司")
    await page.click("text=Sign >> nth=-1")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Confirm that you have read the form")
    await page.check("#declared")
    await page.click("main form button")
    await page.wait_for_url(re.compile("/en/signatures$"))
    seen = (await get(window.spine, f"/v1/applications/{filed['id']}")).json()
    assert (seen["status"], {one["way"] for one in seen["signatures"]}) == ("registered", {"account", "declared"})
    await page.close()


async def test_a_second_officer_countersigns_what_the_first_has_proposed(window: Window) -> None:
    id = await propose(window.spine, "registrar-1")
    first = await window.page("registrar-1", f"/en/queue/{id}")
    await expect(first.locator("main")).to_contain_text("You have proposed it, so another officer countersigns.")
    await first.close()
    page = await window.page("registrar-2", "/en/queue?state=second")
    await page.click(f"a[href$='/queue/{id}']")
    await page.click("text=Take it to countersign")
    await page.check("input[value=confirm]")
    await page.fill("#reason", "同意。")
    await page.click("text=Countersign >> nth=-1")
    await expect(page.locator(".ow-id")).to_contain_text("Registered")
    assert (await get(window.spine, f"/v1/applications/{id}")).json()["uscc"]
    await page.close()


async def test_an_enterprise_asks_to_leave_a_creditor_objects_and_an_officer_decides(window: Window) -> None:
    filed = (await post(window.spine, "/v1/applications", form(), person="applicant-1")).json()
    uscc = filed["uscc"]
    own = await window.page("applicant-1", f"/en/cases/{filed['id']}")
    await own.click("#standing a:has-text('Leaving the register')")
    await own.click("text=Ask for deregistration")
    await expect(own.locator(".govuk-error-summary")).to_contain_text("Choose a procedure")
    await own.check("input[value=simplified]")
    await own.click("text=Ask for deregistration")
    await expect(own.locator("main")).to_contain_text("Public notice of the simplified deregistration until 25 January")

    creditor = await window.page("applicant-2", "/en/help")
    await creditor.click("text=Business licence check")
    await creditor.fill("#uscc", uscc[:17])
    await creditor.click("main form button")
    await expect(creditor.locator(".govuk-error-summary")).to_contain_text("Enter the 18 characters of the USCC")
    await creditor.fill("#uscc", f" {uscc.lower()} ")
    await creditor.click("main form button")
    await creditor.click("text=object to it where a public notice runs")
    await creditor.fill("#words", f"尚欠货款未清。{HOSTILE}")
    await creditor.click("main form button")
    await expect(creditor.locator("main")).to_contain_text("Your objection is on record.")
    await expect(creditor.locator("main")).not_to_contain_text("尚欠货款未清。")
    await creditor.close()

    await own.goto(f"{window.url}/en/leaving/{uscc}")
    await expect(own.locator("main")).to_contain_text("somebody objected")
    await expect(own.locator("main")).to_contain_text(f"尚欠货款未清。{HOSTILE}")
    await expect(own.locator("main")).not_to_contain_text("applicant-2")
    await own.check("input[value=general]")
    await own.click("text=Ask for deregistration")
    await expect(own.locator("main")).to_contain_text("An officer decides on it.")

    desk = await window.page("registrar-1", "/en/queue?state=leaving")
    await desk.click(f"a[href$='/queue/leaving/{uscc}']")
    await expect(desk.locator("main")).to_contain_text("applicant-2")
    await desk.click("text=Take this case")
    await desk.click("text=Decide >> nth=-1")
    await expect(desk.locator(".govuk-error-summary")).to_contain_text("Choose a decision")
    await desk.check("input[value=refuse]")
    await desk.fill("#reason", "清算报告缺少货款的清偿。")
    await desk.click("text=Decide >> nth=-1")
    await expect(desk.locator("main")).to_contain_text("Refused by an officer")
    await desk.close()
    await own.reload()
    await expect(own.locator("main")).to_contain_text("清算报告缺少货款的清偿。")
    await own.close()


async def test_a_registrar_finds_an_enterprise_and_has_its_false_registration_noticed(window: Window) -> None:
    body = form()
    filed = (await post(window.spine, "/v1/applications", body, person="applicant-1")).json()
    desk = await window.page("registrar-1", "/en/register")
    await desk.fill("#q", body["enterprise_name"]["trade_name"])
    await desk.click("main form button")
    await desk.click(f"a[href$='/register/{filed['uscc']}']")
    await desk.click("text=Open a case")
    await expect(desk.locator(".govuk-error-summary")).to_contain_text("Give the reason")
    await desk.fill("#reason", "身份证明系冒用。")
    await desk.click("text=Open a case")
    await expect(desk.locator("main")).to_contain_text("public notice from 5 January 2026 to 19 February 2026")

    page = await window.page("applicant-1", f"/en/l/{filed['uscc']}")
    await page.click("text=Read the public notice, and object to it")
    await expect(page.locator("main")).not_to_contain_text("身份证明系冒用。")
    await page.click("main form button")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Say what you object")
    await page.fill("#words", f"身份证明真实，附公证书。{HOSTILE}")
    await page.click("main form button")
    await expect(page.locator("main")).to_contain_text("Your objection is on record.")
    await expect(page.locator("main")).not_to_contain_text("身份证明真实")
    await page.close()
    await desk.reload()
    await expect(desk.locator("main")).to_contain_text(f"身份证明真实，附公证书。{HOSTILE}")
    await expect(desk.locator("main")).to_contain_text("An officer decides when the notice has run.")
    await desk.close()


async def test_an_applicant_files_the_form_and_follows_the_case_over_all_departments(window: Window) -> None:
    page = await window.page("applicant-2", "/zh/apply")
    await page.click("main form button")
    await page.wait_for_url(re.compile(r"/apply/[0-9a-f-]{36}$"))
    base = page.url
    await fill_form(page, base)

    await expect(page.locator("h1")).to_have_text("核对并签署")
    await expect(page.locator("main")).to_contain_text("5,000,000")
    await page.click("main form button[type=submit], main form button:not([name])")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("请确认声明")
    await page.check("#declared")
    await page.click("main form button:not([name])")

    await page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}$"))
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("已登记")
    # Nobody loads the page again: the words of other departments come by themselves.
    await expect(page.locator("#timeline")).to_contain_text("双告知已推送消防救援机构")
    await expect(page.locator("#standing")).to_contain_text("公众聚集场所投入使用")

    await page.click("a[href$='/permits/P033']")
    await page.check("input[value=commitment]")
    await page.click("main form button")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("请签署承诺")
    await page.check("#commitment_accepted")
    await page.click("main form button")
    await expect(page.locator("#timeline")).to_contain_text("告知承诺，当场准予许可")
    await page.click("#permits a:has-text('证照')")
    await expect(page.locator(".ow-verdict")).to_contain_text("今日有效")
    await page.close()


async def test_whoever_broke_a_commitment_is_told_why_the_mode_is_shut(window: Window) -> None:
    page = await window.page("applicant-1", f"/en/cases/{window.story.restaurant['id']}/permits/P026")
    await page.check("input[value=commitment]")
    await page.check("#commitment_accepted")
    await page.click("main form button")
    await expect(page.locator("main")).to_contain_text("Commitment is closed to this enterprise")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("CB1")

    await page.goto(f"{window.url}/zh/cases/{window.story.restaurant['id']}")
    await expect(page.locator("#standing")).to_contain_text("前改正检查发现的问题")
    await expect(page.locator("[data-live=on]")).to_be_visible()
    await picture(window, page, "lobby-case-zh")
    await page.close()


async def test_a_registrar_claims_a_case_sends_it_back_and_decides(window: Window) -> None:
    filed = (await post(window.spine, "/v1/applications", telecom("东风"), person="applicant-3")).json()
    await item_of(window.spine, filed["id"])

    desk = await window.page("registrar-1", "/en/queue")
    await desk.click(f"a[href$='/queue/{filed['id']}']")
    await expect(desk.locator("main")).to_contain_text("Negative list 2024, item 12")
    await expect(desk.locator("main")).to_contain_text("not yet checked against the text")
    await desk.click("text=Take this case")
    await desk.click("text=Ask for corrections instead")
    await desk.check("input[name='ask:registered_capital']")
    await desk.fill("input[name='words:registered_capital']", "As in the capital report, please.")
    await desk.click("main form button")
    await expect(desk.locator(".ow-id .govuk-tag")).to_have_text("You must correct")

    page = await window.page("applicant-3", f"/zh/cases/{filed['id']}")
    await page.click("text=查看补正内容")
    await expect(page.locator("main")).to_contain_text("As in the capital report, please.")
    await page.click("main form button")
    await expect(page.locator(".govuk-task-list .govuk-tag--orange")).to_have_text("需补正")
    await page.goto(f"{page.url}/capital")
    assert await page.input_value("#registered_capital") == "5000000.00"
    await page.fill("#registered_capital", "6000000")
    await go_on(page)
    await page.goto(page.url.rpartition("/")[0] + "/check")
    await expect(page.locator("main")).to_contain_text("Grünfeld Gastronomie GmbH")
    await page.check("#declared")
    await page.click("main form button:not([name])")
    await expect(page.locator(".ow-id .govuk-tag")).to_have_text("人工审查中")

    await desk.goto(f"{window.url}/en/queue/{filed['id']}")
    assert "Grünfeld" not in await desk.content(), "the screening needs no names"
    if await desk.locator("text=Take this case").count():
        await desk.click("text=Take this case")
    await desk.check("input[value=register]")
    await desk.click("form[action$=decision] button")
    await expect(desk.locator(".govuk-error-summary")).to_contain_text("Give the reason")
    await desk.fill("#reason", "Only value-added services; the commitment is in order.")
    await desk.click("form[action$=decision] button")
    await expect(desk.locator(".ow-id .govuk-tag").first).to_have_text("Registered")
    await expect(page.locator("#timeline")).to_contain_text("准予登记")
    await expect(page.locator("#standing")).to_contain_text("Only value-added services")
    await page.close()
    await desk.close()


async def test_a_regulator_says_why_once_and_sees_the_list_and_every_reason(window: Window) -> None:
    uscc = window.story.restaurant["uscc"]
    context = await window.browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    await sign_in(window, page, "regulator-1", "en")
    await page.click("text=Risk list")
    await page.click("main form button")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Choose a purpose")
    await page.check("input[value=supervision_planning]")
    await page.click("main form button")
    await page.click(".ow-views a[href$='risk_class=D']")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.click(f"a[href$='/risk/{uscc}']")
    await page.check("input[value=case_handling]")
    await page.click("main form button")

    await expect(page.locator(".ow-score__big")).to_contain_text("Class D, high risk")
    await expect(page.locator(".ow-score")).to_contain_text("this alone demands class D")
    await page.click("summary:has-text('Numbers and evidence')")
    table = page.locator("figure[data-chart=bars] table")
    await expect(table).to_contain_text("Entered on the serious illegal and dishonest list")
    risk = await get(window.spine, f"/v1/enterprises/{uscc}/risk", service="risk", person="regulator-1",
                     purpose="case_handling")  # fmt: skip
    shown = [
        int(text)
        for text in await table.locator("[data-value]").evaluate_all("cells => cells.map(c => c.dataset.value)")
    ]
    assert sum(shown) == risk.json()["score"]
    await page.click("summary:has-text('Numbers and evidence')")
    await expect(page.locator("figure[data-chart=bars] svg")).to_be_visible()
    await picture(window, page, "lobby-enterprise-en")

    await page.goto(f"{window.url}/en/risk/{uscc}")
    await expect(page.locator(".ow-score__big")).to_be_visible()
    await context.close()

    async def looks() -> list[str]:
        async with window.spine.database("risk") as database:
            rows = await database.fetch("SELECT convert_from(entry, 'utf8') FROM audit")
        return [row[0] for row in rows if uscc in row[0] and "case_handling" in row[0] and "regulator-1" in row[0]]

    assert len(await eventually(looks)) >= 2, "each look is in the audit with its purpose"


async def test_an_operator_sees_lag_and_what_is_parked(window: Window) -> None:
    async with window.spine.database("credit") as database:
        await database.execute(
            """INSERT INTO parked (source, subject, sequence, id, state, topic, partition, "offset", type, time,
                correlation_id, data, error, attempts)
            VALUES ('/jingan/registration', $1, 99, gen_random_uuid(), 'waiting', 'none', 0, 0,
                'registration.enterprise_changed.v1', '', '', '', $2, 1)""",
            window.story.restaurant["uscc"], HOSTILE,
        )  # fmt: skip
    try:
        page = await window.page("operator-1", "/en/operations")
        await expect(page.locator("tr.is-late th").first).to_have_text("Credit")
        await expect(page.locator("main")).to_contain_text("registration.enterprise_changed.v1")
        await expect(page.locator("main")).to_contain_text(HOSTILE)
        await page.close()
    finally:
        async with window.spine.database("credit") as database:
            await database.execute("DELETE FROM parked WHERE topic = 'none'")


async def test_an_operator_sees_what_was_mended_and_whether_its_signature_holds(window: Window) -> None:
    with window.spine.as_environment():
        settings = load(Settings, "credit")
    async with window.spine.database("credit") as database:
        for outcome, keys in (("mended", signature.keys(settings)), ("different", signature.Keyring())):
            said = evidence.report(
                "reconcile", settings, by="operator-1", began_at=datetime.now(UTC), outcome=outcome,
                differences=["91310106MA0000015B 2"], summary=HOSTILE,
            )  # fmt: skip
            await evidence.write(database, said, keys)

    page = await window.page("operator-1", "/en/operations")
    unsigned, signed = (page.locator("#recovery-reports tbody tr").nth(place) for place in (0, 1))
    await expect(signed).to_contain_text("Reconciled with the topics")
    await expect(signed).to_contain_text("operator-1")
    await expect(signed).to_contain_text("1 difference")
    await expect(signed).to_contain_text(HOSTILE)
    await expect(signed.locator("td").last).to_have_text("Verified")
    await expect(unsigned).to_contain_text("Not verified")
    await expect(unsigned).to_have_class("is-late")
    await page.close()


async def test_when_a_service_is_away_the_page_says_which_part_is_missing(window: Window) -> None:
    licensing = window.spine.service("licensing")
    licensing.freeze()
    try:
        page = await window.page("applicant-1", f"/en/cases/{window.story.restaurant['id']}")
        await expect(page.locator("main")).to_contain_text("Part of this page is missing")
        await expect(page.locator("main")).to_contain_text("Licensing does not answer")
        await expect(page.locator("#timeline")).to_contain_text("Application received")
        await page.close()
    finally:
        licensing.thaw()
    await window.spine.quiet()


async def test_without_script_everything_is_done_by_links_and_forms(window: Window) -> None:
    context = await window.browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await sign_in(window, page, "agent-1")
    await page.goto(f"{window.url}/zh/apply")
    await page.click("main form button")
    await page.goto(f"{page.url}/investors/1")
    await go_on(page)
    assert (await page.title()).startswith("错误：")
    await expect(page.locator(".govuk-error-summary li")).to_have_count(4)
    await page.fill("#share", "abc")
    await page.click("button[value=later]")
    await expect(page.locator("h1")).to_have_text("单一表格")
    await page.goto(f"{page.url}/investors/1")
    assert await page.input_value("#share") == "abc", "what is saved for later may be wrong"

    filed = (await post(window.spine, "/v1/applications", form(), person="agent-1")).json()
    await page.goto(f"{window.url}/zh/cases/{filed['id']}")
    await expect(page.locator("h1")).to_be_visible()
    await context.close()


async def test_by_keyboard_alone(window: Window) -> None:
    """The skip link, a step with its faults, and the way from the summary to the field."""
    page = await window.page("applicant-1", f"/en/apply/{window.story.draft}/capital")
    await page.bring_to_front()
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("Skip to main content")
    await page.keyboard.press("Enter")
    await page.focus("#registered_capital")
    await page.keyboard.type("a lot")
    await page.keyboard.press("Enter")
    await expect(page.locator(".govuk-error-summary")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#registered_capital")).to_be_focused()
    assert await page.input_value("#registered_capital") == "a lot", "what was typed stays"
    await page.close()
