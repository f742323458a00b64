"""One window for all browser tests; it is closed when the last of them is done."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from deploy.local.stack import Stack
from tests.browser.window import Window, require_browser, start, tell
from tests.spine import Spine


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def window(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Window]:
    chromium = require_browser()
    spine = Spine(stack, tmp_path_factory.mktemp("browser"))
    try:
        start(spine)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            opened = Window(spine, browser)
            opened.story = await tell(spine)
            yield opened
            await browser.close()
    finally:
        await spine.close()
