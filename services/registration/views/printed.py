"""The electronic business licence on paper: a PDF (PDF/A-3) that carries the signed document, and a code that leads to
what the register holds now."""

import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import cvttf_NotoSansCJK_Regular as font
import segno
import typst

from libs.common.clock import SHANGHAI
from services.registration.domain import Policy
from services.registration.messages import text

TEMPLATE = Path(__file__).with_name("licence.typ")


def licence_pdf(document: Mapping[str, Any], jws: str, check_url: str, policy: Policy) -> bytes:
    """The licence as it is printed; `document` is what `jws` signs."""
    issued_at = datetime.fromisoformat(document["issued_at"])
    given = {
        "title": text("licence_title", "zh"),
        "title_en": text("licence_title", "en"),
        "banner": None if document["status"] == "registered" else _both(f"licence_{document['status']}"),
        "rows": _rows(document, policy),
        "authority": text("licence_authority", "zh"),
        "issued": _day(issued_at.astimezone(SHANGHAI).date()),
        "scan": _both("licence_scan"),
        "check_url": check_url,
        "attached": text("licence_attached", "en"),
        "remark": f"{_both('licence_remark')} {document['uscc']} · {document['version']}",
        "jws": jws,
    }
    printed = _compiler().compile(
        format="pdf", sys_inputs={"licence": json.dumps(given), "code": _code(check_url)}, pdf_standards="a-3b",
        timestamp=int(issued_at.timestamp()),
    )  # fmt: skip
    assert isinstance(printed, bytes)
    return printed


@cache
def _fonts() -> typst.Fonts:
    """The one font that the template names; nothing of the machine's is used, so that the licence looks alike."""
    folder = str(Path(font.get_TTF_path()).parent)
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])


def _compiler() -> typst.Compiler:
    return typst.Compiler(TEMPLATE.read_bytes(), font_paths=_fonts())


def _code(url: str) -> str:
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", scale=4, border=2)
    return drawn.getvalue().decode()


def _rows(document: Mapping[str, Any], policy: Policy) -> list[tuple[str, str, str]]:
    area = policy.areas[document["area"]]
    suspended = set(document["suspended_activities"])
    activities = [
        f"{policy.industries[code].name_zh}{text('licence_suspended', 'zh') if code in suspended else ''}"
        for code in document["activities"]
    ]
    values = {
        "uscc": document["uscc"],
        "name": document["name"],
        "type": text(document["enterprise_type"], "zh"),
        "capital": f"{document['capital_currency']} {float(document['registered_capital']):,.2f}",
        "area": "".join(policy.areas[code].name_zh for code in (area.parent_code, area.code)),
        "registered_on": _day(date.fromisoformat(document["registered_on"])),
        "scope": "；".join(activities),
    }
    return [
        (text(f"licence_{name}", "zh"), text(f"licence_{name}", "en"), value) for name, value in values.items()
    ]  # fmt: skip


def _both(code: str) -> str:
    return f"{text(code, 'zh')} {text(code, 'en')}"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
