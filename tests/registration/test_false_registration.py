"""A registration obtained by false papers: noticed, objected to, withdrawn; who answers for it is looked into later."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from libs.common import work
from services.registration import tables, use_cases
from services.registration.domain import standing
from services.registration.domain.false_registration import CaseOpen, NoticeOver, banned_until
from services.registration.forms import ApplicationForm
from services.registration.use_cases import FALSE_REGISTRATION, Judged
from tests.registration.registry import LIN, WEI, Registry
from tests.spine import Spine, form, get, post, submit

KEY = b"a key of thirty-two bytes or more"


async def registered(registry: Registry) -> str:
    uscc = (await submitted(registry)).uscc
    assert uscc is not None
    return uscc


async def submitted(registry: Registry, **fields: Any) -> Judged:
    """As the window does it: parties are known by opaque ids."""
    command = ApplicationForm.model_validate(form(**fields)).command(key=KEY)
    return await registry.act(
        lambda session: use_cases.submit_application(
            session, command, registry.law, registry.clock, id=uuid4(), filed_by=registry.owner
        )
    )


async def opened(registry: Registry, uscc: str) -> tables.FalseRegistration:
    return await registry.act(
        lambda session: use_cases.open_case(
            session, uscc, "身份证明系冒用。", WEI, registry.law, registry.clock, id=uuid4()
        )
    )


async def objected(registry: Registry, uscc: str) -> tables.FalseRegistration:
    return await registry.act(
        lambda session: use_cases.object_to_case(session, uscc, "身份证明真实。", LIN, registry.clock)
    )


async def decided(
    registry: Registry, uscc: str, outcome: Any, *responsible: Any, version: int = 1
) -> tables.FalseRegistration:
    await registry.claim(uscc, WEI, FALSE_REGISTRATION)
    return await registry.act(
        lambda session: use_cases.decide_case(
            session, uscc, outcome, "公示期满。", responsible, WEI, version, registry.law, registry.clock
        )
    )


async def test_after_45_days_of_notice_an_officer_withdraws_it(registry: Registry) -> None:
    uscc = await registered(registry)
    case = await opened(registry, uscc)
    assert case.notice_until == date(2026, 2, 19)
    with pytest.raises(CaseOpen):
        await opened(registry, uscc)
    await registry.time_passes(until=date(2026, 2, 19))
    with pytest.raises(AssertionError):
        await registry.item(uscc, FALSE_REGISTRATION)
    await registry.time_passes(until=date(2026, 2, 20))

    later = registry.on(date(2026, 2, 24))
    await decided(later, uscc, "withdraw", "legal_representative")
    assert (await registry.enterprise(uscc))["withdrawn_on"] == date(2026, 2, 24)
    assert [act for act, _ in await registry.told(uscc)][1:] == ["false_registration_noticed", "registration_withdrawn"]
    with pytest.raises(standing.Withdrawn):
        await later.change(uscc, area="310106013")
    with pytest.raises(standing.Withdrawn):
        await later.deregister(uscc, "simplified")


async def test_an_objection_in_time_is_kept_and_one_after_it_is_refused(registry: Registry) -> None:
    uscc = await registered(registry)
    await opened(registry, uscc)
    case = await objected(registry.on(date(2026, 2, 19)), uscc)
    assert [one["words"] for one in case.objections] == ["身份证明真实。"]
    with pytest.raises(NoticeOver):
        await objected(registry.on(date(2026, 2, 20)), uscc)
    await registry.time_passes(until=date(2026, 2, 20))
    await decided(registry.on(date(2026, 2, 24)), uscc, "dismiss", version=2)
    assert (await registry.enterprise(uscc))["withdrawn_on"] is None
    with pytest.raises(use_cases.NoSuchCase):
        await objected(registry, uscc)
    await opened(registry.on(date(2026, 3, 2)), uscc)


async def test_only_the_officer_who_holds_the_item_decides(registry: Registry) -> None:
    uscc = await registered(registry)
    await opened(registry, uscc)
    await registry.time_passes(until=date(2026, 2, 20))
    with pytest.raises(work.NotYours):
        await registry.act(
            lambda session: use_cases.decide_case(
                session, uscc, "withdraw", "。", [], LIN, 1, registry.law, registry.clock
            )
        )


@pytest.mark.parametrize(
    ("on", "status"),
    [(date(2026, 3, 2), "in_review"), (date(2029, 2, 24), "in_review"), (date(2029, 2, 25), "registered")],
)
async def test_who_answered_for_it_is_looked_into_for_three_years(registry: Registry, on: date, status: str) -> None:
    """A namesake may be somebody else, so that an officer decides; nobody is refused by a name."""
    name = f"示例 {on.isoformat()}"
    representative = {"name": name, "nationality": "DE"}
    first = await submitted(registry, legal_representative=representative)
    assert (first.status, first.uscc is not None) == ("registered", True)
    uscc = str(first.uscc)
    await opened(registry, uscc)
    await registry.time_passes(until=date(2026, 2, 20))
    await decided(registry.on(date(2026, 2, 24)), uscc, "withdraw", "legal_representative")

    again = await submitted(registry.on(on), legal_representative=representative)
    assert again.status == status
    kept = (await registry.application(again.id))["concerns"]
    assert ('"field": "legal_representative"' in kept) == (status == "in_review")
    assert (
        await submitted(registry.on(on), legal_representative={"name": "另一人", "nationality": "DE"})
    ).status == "registered"


def test_the_last_day_of_three_years() -> None:
    assert banned_until(date(2026, 2, 24)) == date(2029, 2, 24)
    assert banned_until(date(2028, 2, 29)) == date(2031, 2, 28)


async def test_it_reaches_those_who_supervise_and_license(spine: Spine) -> None:
    spine.up("registration", "licensing", "supervision")
    uscc = (await submit(spine)).json()["uscc"]
    path = f"/v1/enterprises/{uscc}/false-registration"
    assert (await post(spine, path, {"reason": "冒用身份。"}, person="applicant-1")).status_code == 403
    assert (await post(spine, path, {"reason": "冒用身份。"}, person="registrar-1")).status_code == 201
    public = (await get(spine, path, person=None)).json()
    assert (public["notice_until"], public["reason"], public["said"]) == ("2026-02-19", None, [])
    assert (await post(spine, f"{path}/objections", {"words": "属实。"}, person="applicant-2")).status_code == 201
    await spine.travel(date(2026, 2, 20))
    items = (await get(spine, f"/v1/work-items?queue={FALSE_REGISTRATION}", person="registrar-1")).json()["items"]
    held = next(one for one in items if one["subject"] == uscc)
    await post(spine, f"/v1/work-items/{held['id']}/claim", person="registrar-1", if_match=held["version"])
    ruling = {"outcome": "withdraw", "reason": "属实。", "responsible": ["investors"]}
    done = await post(spine, f"{path}/decision", ruling, person="registrar-1", if_match=2)
    assert (done.status_code, done.json()["outcome"]) == (200, "withdraw"), done.text
    assert (await get(spine, f"/v1/enterprises/{uscc}", person=None)).json()["status"] == "withdrawn"
    licence = (await get(spine, f"/v1/enterprises/{uscc}/licence", person=None)).json()
    assert licence["in_force"] is False
    await spine.quiet()
    for service, query in (
        ("licensing", "SELECT deregistered_on FROM enterprise WHERE uscc = $1"),
        ("supervision", "SELECT deregistered_on FROM enterprise WHERE uscc = $1"),
    ):
        async with spine.database(service) as connection:
            assert await connection.fetchval(query, uscc) is not None, service
