"""The electronic licence: signed, printed, checked by its code online and by its signature offline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
import pytest_asyncio
import zxingcpp
from PIL.Image import Image

from services.registration import policy
from services.registration.views.enterprises import LICENCE_EXAMPLE
from services.registration.views.printed import licence_pdf
from tests.http.wire import get
from tests.spine import Spine, change, form, post, submit

CHECK = "http://127.0.0.1:8100/l/91310106MA0000015B?v=1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(spine: Spine) -> str:
    return spine.up("registration").service("registration").url


def page(pdf: bytes) -> tuple[str, Image]:
    """The words and the picture of the only page."""
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    words = document[0].get_textpage().get_text_range().replace("\r\n", "\n")
    return words, document[0].render(scale=2).to_pil()


def attached(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    found = {one.get_name(): one for one in (document.get_attachment(n) for n in range(document.count_attachments()))}
    return bytes(found["licence.jws"].get_data()).decode()


async def printed(url: str, uscc: str) -> bytes:
    answer = await get(f"{url}/v1/enterprises/{uscc}/licence.pdf", person=None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    return answer.content


def verified(folder: Path, jws: str, keys: str) -> subprocess.CompletedProcess[str]:
    """What the offline program says; it has nothing but these two files."""
    (folder / "licence.jws").write_text(jws)
    (folder / "keys.json").write_text(keys)
    command = [sys.executable, "-m", "verify", str(folder / "licence.jws"), "--keys", str(folder / "keys.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_the_printed_licence_says_what_the_register_holds_and_leads_back_to_it(
    spine: Spine, url: str, tmp_path: Path
) -> None:
    filed = form()
    uscc = (await submit(spine, filed)).json()["uscc"]
    pdf = await printed(url, uscc)
    words, picture = page(pdf)
    for said in (
        uscc,
        "".join(filed["enterprise_name"].values()),
        "有限责任公司",
        "CNY 5,000,000.00",
        "正餐服务",
        "上海市静安区",
    ):
        assert said in words
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [f"http://127.0.0.1:8100/l/{uscc}?v=1"]

    keys = (await get(f"{url}/v1/keys", person=None)).text
    good = verified(tmp_path, attached(pdf), keys)
    assert (good.returncode, f'"uscc": "{uscc}"' in good.stdout) == (0, True)
    head, body, signature = attached(pdf).split(".")
    assert verified(tmp_path, ".".join((head, body[:-4] + "AAAA", signature)), keys).returncode == 1


async def test_a_copy_from_before_a_change_is_told_from_what_holds(spine: Spine, url: str) -> None:
    """The page behind the code, by the real lobby."""
    uscc = (await submit(spine)).json()["uscc"]
    await change(spine, uscc, {"area": "310106013"})
    _, picture = page(await printed(url, uscc))
    assert [code.text[-4:] for code in zxingcpp.read_barcodes(picture)] == ["?v=2"]
    lobby = spine.service("lobby")
    lobby.start(REGISTRATION_URL=url)
    lobby.wait_ready()
    async with httpx.AsyncClient(base_url=lobby.url, timeout=10) as reader:
        old = (await reader.get(f"/en/l/{uscc}?v=1")).text
        new = (await reader.get(f"/en/l/{uscc}?v=2")).text
        unknown = await reader.get("/en/l/91310106MA9999999X")
    assert "this copy is out of date" in old
    assert "In force today" in new
    assert unknown.status_code == 404


async def test_a_licence_whose_enterprise_has_left_says_so(spine: Spine, url: str) -> None:
    uscc = (await submit(spine)).json()["uscc"]
    asked = await post(spine, f"/v1/enterprises/{uscc}/deregistration", {"procedure": "simplified"})
    assert asked.status_code == 201
    assert "正在办理注销登记" in page(await printed(url, uscc))[0]


@pytest.mark.parametrize("activities", [1, 50])
def test_the_longest_scope_stays_on_one_page(activities: int) -> None:
    law = policy.current()
    classes = sorted((one for one in law.industries.values() if one.level == 4), key=lambda one: -len(one.name_zh))
    scope = [one.code for one in classes[:activities]]
    document: dict[str, Any] = {**LICENCE_EXAMPLE["document"], "activities": scope, "suspended_activities": scope}
    words, _ = page(licence_pdf(document, "a.b.c", CHECK, law))
    assert words.replace("\n", "").count("已暂停") == activities
    assert "静安区市场监督管理局" in words


def test_the_same_licence_is_the_same_file() -> None:
    document = {**LICENCE_EXAMPLE["document"], "issued_at": "2026-01-05T02:30:00.123456+00:00"}
    assert licence_pdf(document, "a.b.c", CHECK, policy.current()) == licence_pdf(
        json.loads(json.dumps(document)), "a.b.c", CHECK, policy.current()
    )


def test_words_of_an_enterprise_are_no_markup() -> None:
    """A name cannot steer the template."""
    document = {**LICENCE_EXAMPLE["document"], "name": '#eval("1+1") $x$ *b* \\ "'}
    assert '#eval("1+1") $x$ *b* \\ "' in page(licence_pdf(document, "a.b.c", CHECK, policy.current()))[0]
