"""Warnings: raised once when a threshold is reached, taken up and closed by people, and then counted anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from libs.common.envelope import Incoming
from libs.common.policy import PolicyError
from services.risk.policy import FOLDER, load_warnings, warning_rules
from tests.risk.window import Window, event, listed, open_window, registered, usccs
from tests.spine import Spine

WARNINGS = "/v1/risk/warnings"
AT_ONE_ADDRESS = warning_rules()["address_cluster"].threshold


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    async with open_window(spine) as opened:
        yield opened


async def raised(window: Window, kind: str, state: str = "open") -> list[dict[str, Any]]:
    return await window.every(f"{WARNINGS}?kind={kind}&state={state}&limit=1")


async def test_many_at_one_address_are_one_warning_whoever_counts_at_once(window: Window) -> None:
    address = str(uuid4())
    units = usccs(1, AT_ONE_ADDRESS + 1)
    await window.take(*(registered(uscc, address_id=address) for uscc in units[: AT_ONE_ADDRESS - 2]))
    assert await raised(window, "address_cluster") == []
    await asyncio.gather(
        *(window.take(registered(uscc, address_id=address)) for uscc in units[AT_ONE_ADDRESS - 2 : AT_ONE_ADDRESS])
    )
    (one,) = await raised(window, "address_cluster")
    assert (one["object"], one["value"], one["enterprises"]) == (address, AT_ONE_ADDRESS, list(units[:AT_ONE_ADDRESS]))
    assert one["zh"]
    await window.take(registered(units[-1], address_id=address))
    (same,) = await raised(window, "address_cluster")
    assert (same["id"], same["value"]) == (one["id"], AT_ONE_ADDRESS + 1)
    assert [found["id"] for found in await window.every(f"{WARNINGS}?uscc={units[0]}")] == [one["id"]]


async def test_it_is_taken_up_and_closed_by_people_and_then_counts_anew(window: Window) -> None:
    (one,) = await raised(window, "address_cluster")
    path = f"{WARNINGS}/{one['id']}"
    taken_up = await window.send("POST", f"{path}/acknowledgement", if_match=1)
    assert (taken_up.status_code, taken_up.json()["acknowledged_by"]) == (200, "regulator-1")
    assert (await window.send("POST", f"{path}/acknowledgement", if_match=1)).status_code == 412
    assert (await window.send("POST", f"{path}/acknowledgement", if_match=2)).status_code == 409
    closing = {"outcome": "no_cause", "note": "集中登记点。"}
    assert (await window.send("POST", f"{path}/closing", closing, "applicant-1", if_match=2)).status_code == 403
    assert (await window.send("POST", f"{path}/closing", {"outcome": "x"}, if_match=2)).status_code == 422
    closed = await window.send("POST", f"{path}/closing", closing, "analyst-1", if_match=2)
    assert (closed.json()["state"], closed.json()["closed_by"]) == ("closed", "analyst-1")
    assert (await window.send("POST", f"{path}/closing", closing, if_match=3)).status_code == 409

    more = usccs(50, AT_ONE_ADDRESS)
    await window.at(date(2026, 1, 6))
    on = date(2026, 1, 6)
    await window.take(*(registered(uscc, on, address_id=one["object"]) for uscc in more[:-1]))
    assert await raised(window, "address_cluster") == [], "what was dealt with counts no more"
    await window.take(registered(more[-1], on, address_id=one["object"]))
    (again,) = await raised(window, "address_cluster")
    assert (again["object"], again["value"]) == (one["object"], AT_ONE_ADDRESS)


async def test_many_of_one_agent_and_findings_of_one_department_in_one_sector(window: Window) -> None:
    on = date(2026, 1, 6)
    units = usccs(100, warning_rules()["agent_cluster"].threshold)
    await window.take(*(registered(uscc, on, industry="6210", filed_by="agent-9") for uscc in units))
    (of_agent,) = await raised(window, "agent_cluster")
    assert (of_agent["object"], of_agent["value"]) == ("agent-9", len(units))

    def inspected(uscc: str, department: str) -> Incoming:
        return event(
            "supervision.inspection_completed.v1", uscc, inspection_id=str(uuid4()), problem=True, refused=False,
            unreachable=False, completed_on=on.isoformat(), departments=[department],
        )  # fmt: skip

    enough = warning_rules()["sector_findings"].threshold
    await window.take(*(inspected(uscc, "fire") for uscc in units[: enough - 1]), inspected(units[-1], "health"))
    assert await raised(window, "sector_findings") == []
    await window.take(inspected(units[enough], "fire"))
    (of_sector,) = await raised(window, "sector_findings")
    assert (of_sector["object"], of_sector["value"]) == ("fire:62", enough)


async def test_a_score_that_rises_suddenly_is_a_warning_and_a_first_class_is_none(window: Window) -> None:
    (uscc,) = usccs(500, 1)
    on = date(2026, 1, 6)
    await window.take(registered(uscc, on))
    assert await raised(window, "sudden_rise") == []
    before = await window.shown(f"/v1/enterprises/{uscc}/risk")
    await window.take(listed(uscc, on))
    after = await window.shown(f"/v1/enterprises/{uscc}/risk")
    (one,) = await raised(window, "sudden_rise")
    assert (one["uscc"], one["value"]) == (uscc, after["score"] - before["score"])
    assert (await window.get(f"{WARNINGS}/{one['id']}")).headers["etag"] == '"1"'
    assert (await window.get(f"{WARNINGS}/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sudden_rise,score", "sudden_rise,filed_by", "warnings.csv:2: sudden_rise: not counted over filed_by"),
        (",60,30,", ",0,30,", "warnings.csv:2: sudden_rise: neither may be zero"),
        ("agent_cluster,filed_by", "address_cluster,registered_at", "warnings.csv:4: address_cluster stands already"),
    ],
)
def test_unfit_settings_are_refused_by_file_and_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = (FOLDER / "warnings.csv").read_text(encoding="utf-8")
    (tmp_path / "warnings.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=says):
        load_warnings(tmp_path / "warnings.csv")
