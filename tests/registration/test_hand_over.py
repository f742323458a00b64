"""Seal, tax, social insurance, provident fund, bank: handed over once, answered, asked after when nobody answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from libs.common.web import Stale
from services.registration import tables, use_cases
from services.registration.domain.hand_over import AlreadyHandedOver, Settled
from services.registration.use_cases import HAND_OVER
from tests.registration.registry import WEI, Registry
from tests.spine import Spine, get, post, submit


async def registered(registry: Registry) -> str:
    uscc = (await registry.submit()).uscc
    assert uscc is not None
    return uscc


async def hand_over(registry: Registry, uscc: str, *matters: Any) -> list[tables.HandOver]:
    return await registry.act(
        lambda session: use_cases.hand_over_matters(
            session, uscc, matters, registry.owner, registry.law, registry.clock
        )
    )


async def answer(registry: Registry, uscc: str, matter: Any, said: Any, version: int = 1) -> tables.HandOver:
    return await registry.act(
        lambda session: use_cases.note_answer(session, uscc, matter, said, WEI, version, registry.clock)
    )


async def test_a_matter_is_handed_over_once_and_followed_until_it_is_done(registry: Registry) -> None:
    uscc = await registered(registry)
    seal, tax = await hand_over(registry, uscc, "tax", "seal")
    assert [(one.matter, one.state, one.due_on) for one in (seal, tax)] == [
        ("seal", "handed_over", date(2026, 1, 7)), ("tax", "handed_over", date(2026, 1, 7)),
    ]  # fmt: skip
    with pytest.raises(AlreadyHandedOver):
        await hand_over(registry, uscc, "tax", "bank_account")
    await answer(registry, uscc, "seal", "accepted")
    with pytest.raises(Stale):
        await answer(registry, uscc, "seal", "done")
    await answer(registry, uscc, "seal", "done", version=2)
    with pytest.raises(Settled):
        await answer(registry, uscc, "seal", "returned", version=3)
    assert (await registry.told(uscc))[1:] == [
        ("matters_handed_over", {"matters": ["seal", "tax"], "handed_on": "2026-01-05"}),
        ("matter_settled", {"matter": "seal", "outcome": "done", "settled_on": "2026-01-05"}),
    ]


async def test_what_was_returned_may_be_handed_over_again(registry: Registry) -> None:
    uscc = await registered(registry)
    await hand_over(registry, uscc, "bank_account")
    await answer(registry, uscc, "bank_account", "returned")
    [again] = await hand_over(registry.on(date(2026, 1, 12)), uscc, "bank_account")
    assert (again.state, again.handed_on, again.version) == ("handed_over", date(2026, 1, 12), 3)


async def test_somebody_asks_after_a_matter_that_nobody_has_settled(registry: Registry) -> None:
    uscc = await registered(registry)
    await hand_over(registry, uscc, "seal", "tax")
    await answer(registry, uscc, "tax", "done")
    await registry.time_passes(until=date(2026, 1, 8))
    item = await registry.item(f"{uscc}:seal", HAND_OVER)
    assert item["closed_at"] is None
    with pytest.raises(AssertionError):
        await registry.item(f"{uscc}:tax", HAND_OVER)
    await answer(registry.on(date(2026, 1, 9)), uscc, "seal", "done")
    assert (await registry.item(f"{uscc}:seal", HAND_OVER))["closed_at"] is not None


async def test_hand_overs_over_http(spine: Spine) -> None:
    spine.up("registration")
    uscc = (await submit(spine)).json()["uscc"]
    path = f"/v1/enterprises/{uscc}/hand-overs"
    assert (await post(spine, path, {"matters": ["seal"]}, person="applicant-2")).status_code == 404
    handed = await post(spine, path, {"matters": ["seal", "social_insurance"]})
    assert [one["name"] for one in handed.json()["items"]] == ["Company seal", "Social insurance registration"]
    assert (await get(spine, path, person="applicant-2")).status_code == 404
    done = await post(spine, f"{path}/seal/answer", {"answer": "done"}, person="registrar-1", if_match=1)
    assert (done.status_code, done.json()["state"]) == (200, "done")
    missing = await post(spine, f"{path}/tax/answer", {"answer": "done"}, person="registrar-1", if_match=1)
    assert missing.status_code == 404
    seen = (await get(spine, path)).json()["items"]
    assert [(one["matter"], one["state"]) for one in seen] == [("seal", "done"), ("social_insurance", "handed_over")]
