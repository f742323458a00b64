"""An enterprise leaves the register, after public notice or by an officer; what others found stays with its name."""

import asyncio
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.common import work
from libs.common.web import Stale
from services.registration import tables, use_cases
from services.registration.domain import standing
from services.registration.domain.false_registration import NoticeOver
from services.registration.use_cases import DEREGISTRATION, EnterpriseUnknown
from tests.registration.registry import LIN, START, WEI, Registry

DAY = timedelta(days=1)


async def registered(registry: Registry) -> str:
    uscc = (await registry.submit()).uscc
    assert uscc is not None
    return uscc


async def left_on(registry: Registry, uscc: str) -> date | None:
    day: date | None = (await registry.enterprise(uscc))["deregistered_on"]
    return day


async def object_to(registry: Registry, uscc: str) -> tables.Deregistration:
    """A creditor objects."""
    return await registry.act(
        lambda session: use_cases.object_to_deregistration(session, uscc, "尚欠货款未清。", LIN, registry.clock)
    )


class TestSimplified:
    async def test_is_done_when_the_notice_of_twenty_days_has_run(self, registry: Registry) -> None:
        uscc = await registered(registry)
        asked = await registry.deregister(uscc, "simplified")
        assert asked.notice_until == date(2026, 1, 25)

        await registry.time_passes(date(2026, 1, 25))
        assert await left_on(registry, uscc) is None
        assert await registry.time_passes(date(2026, 2, 1)) == [("deregistration_notice_has_run", date(2026, 1, 26))]
        assert await left_on(registry, uscc) == date(2026, 1, 26)
        assert (await registry.told(uscc))[-1] == (
            "enterprise_deregistered", {"procedure": "simplified", "deregistered_on": "2026-01-26"},
        )  # fmt: skip

    async def test_ends_with_the_first_objection_while_its_notice_runs(self, registry: Registry) -> None:
        uscc = await registered(registry)
        await registry.deregister(uscc, "simplified")
        await registry.time_passes(date(2026, 1, 25))
        both = await asyncio.gather(
            *(object_to(registry.on(date(2026, 1, 25)), uscc) for _ in range(2)), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in both) == ["Deregistration", "NoSuchDeregistration"]
        assert (await registry.told(uscc))[-1] == (
            "deregistration_refused",
            {"procedure": "simplified", "refused_by": "objection", "refused_on": "2026-01-25"},
        )
        assert await registry.time_passes(date(2026, 2, 1)) == []
        assert await left_on(registry, uscc) is None
        assert (await registry.deregister(uscc, "general")).notice_until is None
        with pytest.raises(use_cases.NoSuchDeregistration):
            await object_to(registry, uscc)

    async def test_is_not_stopped_by_an_objection_that_comes_late(self, registry: Registry) -> None:
        uscc = await registered(registry)
        await registry.deregister(uscc, "simplified")
        with pytest.raises(NoticeOver):
            await object_to(registry.on(date(2026, 1, 26)), uscc)
        await registry.time_passes(date(2026, 2, 1))
        assert await left_on(registry, uscc) == date(2026, 1, 26)

    async def test_of_one_that_has_left_is_refused_like_any_change(self, registry: Registry) -> None:
        uscc = await registered(registry)
        await registry.deregister(uscc, "simplified")
        await registry.time_passes(START + 21 * DAY)
        for act in (registry.deregister(uscc, "simplified"), registry.change(uscc, area="310106013")):
            with pytest.raises(standing.Deregistered):
                await act
        said = await registry.told(uscc)
        assert [act for act, _ in said] == [
            "enterprise_registered",
            "deregistration_requested",
            "enterprise_deregistered",
        ]
        assert said[1][1] == {"procedure": "simplified", "requested_on": "2026-01-05", "notice_until": "2026-01-25"}

    async def test_is_asked_for_once_however_often_it_is_clicked(self, registry: Registry) -> None:
        uscc = await registered(registry)
        answers = await asyncio.gather(
            *(registry.deregister(uscc, kind) for kind in ("simplified", "general") * 3), return_exceptions=True
        )
        refused = [answer for answer in answers if isinstance(answer, BaseException)]
        assert [type(one) for one in refused] == [standing.DeregistrationFiled] * 5

    async def test_is_for_its_owner_to_ask(self, registry: Registry) -> None:
        uscc = await registered(registry)
        with pytest.raises(EnterpriseUnknown):
            await registry.as_("applicant-2").deregister(uscc, "simplified")


class TestGeneral:
    async def decide(self, registry: Registry, uscc: str, ruling: Any, officer: Any, version: int = 1) -> None:
        await registry.act(
            lambda session: use_cases.decide_deregistration(
                session, uscc, ruling, "清算报告齐全。", officer, version, registry.law, registry.clock
            )
        )

    async def test_waits_for_the_officer_who_claims_it(self, registry: Registry) -> None:
        uscc = await registered(registry)
        await registry.deregister(uscc, "general")
        await registry.claim(uscc, WEI, DEREGISTRATION)
        with pytest.raises(work.NotYours):
            await self.decide(registry, uscc, "deregister", LIN)
        with pytest.raises(Stale):
            await self.decide(registry, uscc, "deregister", WEI, version=2)
        await self.decide(registry.on(date(2026, 1, 7)), uscc, "deregister", WEI)
        assert await left_on(registry, uscc) == date(2026, 1, 7)
        assert (await registry.told(uscc))[-1] == (
            "enterprise_deregistered", {"procedure": "general", "deregistered_on": "2026-01-07"},
        )  # fmt: skip
        with pytest.raises(use_cases.NoSuchDeregistration):
            await self.decide(registry, uscc, "deregister", WEI)

    async def test_that_was_refused_leaves_it_registered_and_may_be_asked_for_again(self, registry: Registry) -> None:
        uscc = await registered(registry)
        await registry.deregister(uscc, "general")
        await registry.claim(uscc, WEI, DEREGISTRATION)
        await self.decide(registry, uscc, "refuse", WEI)
        assert await left_on(registry, uscc) is None
        assert (await registry.told(uscc))[-1] == (
            "deregistration_refused", {"procedure": "general", "refused_by": "officer", "refused_on": "2026-01-05"},
        )  # fmt: skip
        assert (await registry.deregister(uscc, "simplified")).notice_until is not None


class TestASuspendedScopeItem:
    async def revoke(self, registry: Registry, uscc: str, permit: UUID) -> None:
        revoked = use_cases.RevokedPermit(permit, "food_business", ("6210",), date(2026, 4, 20))
        await registry.act(
            lambda session: use_cases.suspend_scope_items(session, uscc, revoked, registry.clock)
        )  # fmt: skip

    async def test_is_said_once_however_often_its_permit_is_revoked(self, registry: Registry) -> None:
        uscc, permit = await registered(registry), uuid4()
        for _ in range(2):
            await self.revoke(registry, uscc, permit)
        assert [act for act, _ in await registry.told(uscc)] == ["enterprise_registered", "scope_item_suspended"]
        assert (await registry.told(uscc))[-1][1] == {
            "activities": ["6210"], "permit_item": "food_business", "permit_id": str(permit),
            "suspended_on": "2026-04-20",
        }  # fmt: skip

    async def test_is_kept_for_an_enterprise_that_is_not_here_yet(self, registry: Registry) -> None:
        """After a restore the register may be behind what licensing says of it."""
        nowhere = "91310106MA1FY0000X"
        await self.revoke(registry, nowhere, uuid4())
        assert await registry.find("SELECT 1 FROM suspension WHERE uscc = $1", nowhere) is not None


async def test_of_restrictions_the_last_word_of_credit_counts(registry: Registry) -> None:
    uscc = await registered(registry)
    for restrictions, day in ((["commitment_mode"], date(2026, 5, 1)), ([], date(2026, 8, 1))):
        await registry.act(
            partial(
                use_cases.keep_restrictions,
                uscc=uscc,
                restrictions=restrictions,
                grounds=["SE-GEN"],
                changed_on=day,
            )
        )
    kept = await registry.row("SELECT * FROM restriction WHERE uscc = $1", uscc)
    assert (kept["restrictions"], kept["changed_on"]) == ([], date(2026, 8, 1))
