"""Above the amount that is set, one officer proposes a registration and another countersigns it."""

import json
from typing import Any
from uuid import UUID

import pytest

from libs.common import work
from services.registration import tables, use_cases
from services.registration.use_cases import COUNTERSIGNATURE, SecondOfficer
from tests.registration.registry import LIN, WEI, Registry

TELECOM = ["6311"]
LARGE = {"registered_capital": "200000000.01", "capital_currency": "CNY"}


async def to_review(registry: Registry, **fields: Any) -> UUID:
    judged = await registry.submit(activities=TELECOM, **fields)
    assert judged.status == "in_review"
    await registry.claim(judged.id, WEI)
    return judged.id


async def countersign(registry: Registry, id: UUID, answer: Any, officer: Any, version: int = 2) -> tables.Application:
    return await registry.act(
        lambda session: use_cases.countersign_application(
            session, id, answer, "已复核。", officer, version, registry.law, registry.clock
        )
    )


async def test_at_the_amount_one_officer_decides(registry: Registry) -> None:
    id = await to_review(registry, registered_capital="200000000.00", capital_currency="CNY")
    assert (await registry.decide(id, "register", WEI)).status == "registered"


@pytest.mark.parametrize("capital", [LARGE, {"registered_capital": "1.00", "capital_currency": "JPY"}])
async def test_above_it_and_in_a_currency_without_one_a_second_officer_registers(
    registry: Registry, capital: dict[str, str]
) -> None:
    id = await to_review(registry, **capital)
    proposed = await registry.decide(id, "register", WEI)
    assert (proposed.status, proposed.uscc, proposed.version) == ("in_review", None, 2)
    with pytest.raises(work.NotYours):
        await countersign(registry, id, "confirm", LIN)
    await registry.claim(id, LIN, COUNTERSIGNATURE)
    row = await countersign(registry, id, "confirm", LIN)
    assert row.status == "registered"
    decided = json.loads((await registry.application(id))["decided"])
    assert (decided["officer"], decided["countersigned"]["officer"]) == (WEI.subject, LIN.subject)
    for queue in (use_cases.REVIEW, COUNTERSIGNATURE):
        assert (await registry.item(id, queue))["closed_at"] is not None
    assert [act for act, _ in await registry.told(row.uscc or "")] == ["enterprise_registered"]


async def test_the_first_officer_is_not_the_second_and_does_not_decide_twice(registry: Registry) -> None:
    id = await to_review(registry, **LARGE)
    await registry.decide(id, "register", WEI)
    with pytest.raises(SecondOfficer):
        await registry.decide(id, "register", WEI, version=2)
    await registry.claim(id, WEI, COUNTERSIGNATURE)
    with pytest.raises(SecondOfficer):
        await countersign(registry, id, "confirm", WEI)
    assert (await registry.application(id))["status"] == "in_review"


async def test_given_back_the_first_officer_goes_on(registry: Registry) -> None:
    id = await to_review(registry, **LARGE)
    await registry.decide(id, "register", WEI)
    await registry.claim(id, LIN, COUNTERSIGNATURE)
    returned = await countersign(registry, id, "return", LIN)
    assert (returned.status, returned.proposed, returned.version) == ("in_review", None, 3)
    assert (await registry.item(id))["claimed_by"] == WEI.subject
    assert (await registry.decide(id, "refuse", WEI, version=3)).status == "refused"


async def test_what_is_withdrawn_or_refused_meanwhile_waits_for_nobody(registry: Registry) -> None:
    id = await to_review(registry, **LARGE)
    await registry.decide(id, "register", WEI)
    assert (await registry.withdraw(id)).status == "withdrawn"
    assert (await registry.item(id, COUNTERSIGNATURE))["outcome"] == "settled"
    other = await to_review(registry, **LARGE)
    await registry.decide(other, "register", WEI)
    assert (await registry.decide(other, "refuse", WEI, version=2)).status == "refused"


async def test_a_refusal_needs_one_officer(registry: Registry) -> None:
    id = await to_review(registry, **LARGE)
    assert (await registry.decide(id, "refuse", WEI)).status == "refused"
