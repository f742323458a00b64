"""Double notification: departments learn of what was registered, claim it, return it, or let the time pass."""

import asyncio
import json
from datetime import date
from uuid import uuid4

import pytest

from libs.common import work
from libs.common.migration import drift
from libs.common.web import Stale
from services.licensing import use_cases
from tests.licensing.office import FIRE, HEALTH, MARKET, Office, officer


async def test_the_tables_are_those_of_the_migration(office: Office) -> None:
    assert await drift(office.database) is None


class TestARegistration:
    async def test_is_told_to_the_department_of_each_item_that_is_due(self, office: Office) -> None:
        uscc = await office.registered("6210")
        told = {row["item_id"]: row for row in await office.rows("notification", "uscc", uscc)}
        assert {item: row["department"] for item, row in told.items()} == {
            "P001": "market_regulation",
            "P033": "fire_and_rescue",
            "P077": None,
            "P122": "water",
        }, "neither the cancelled liquor licence nor what depends on an open question"
        assert {row["claim_by"] for row in told.values()} == {date(2026, 1, 12)}, "five working days"

    async def test_is_not_dispatched_where_the_department_was_not_seen_in_the_law(self, office: Office) -> None:
        uscc = await office.registered("6210")
        prepaid, fire = await office.notification(uscc, "P077"), await office.notification(uscc, "P033")
        assert (prepaid["dispatch_status"], prepaid["catalogue_department"]) == (0, "commerce")
        assert (fire["dispatch_status"], fire["target_type"], fire["event_type"]) == (1, 1, 1)

    async def test_is_told_once_however_often_the_event_comes(self, office: Office) -> None:
        event = uuid4()
        uscc = await office.registered("6210", id=event)
        before = await office.said(uscc)
        await office.registered("6210", id=event, uscc=uscc)
        assert await office.said(uscc) == before
        assert len(await office.rows("notification", "uscc", uscc)) == 4

    async def test_says_what_was_determined_and_by_which_law(self, office: Office) -> None:
        uscc = await office.registered("6210", permit_facts=["sells_liquor"])
        [determined] = await office.said(uscc, "permit_requirements_determined")
        rows = {row["item_id"]: row for row in determined["requirements"]}
        assert (rows["P024"]["status"], rows["P024"]["due"]) == ("cancelled", "no")
        assert rows["P022"]["due"] == "conditional"
        [kept] = await office.rows("determination", "uscc", uscc)
        record = json.loads(kept["record"])
        assert record["policy_digest"] == determined["policy_digest"]
        assert record["facts"] == {"activities": ["6210"], "answers": {"sells_liquor": True}, "capital": "foreign"}

    async def test_of_old_without_owner_and_answers_leaves_the_questions_open(self, office: Office) -> None:
        uscc = "91310106MA0000OLD1"
        await office.hears(
            "registration", "enterprise_registered", uscc, registered_on="2026-01-05", activities=["8930"]
        )
        [determined] = await office.said(uscc, "permit_requirements_determined")
        assert {row["item_id"]: row["due"] for row in determined["requirements"]}["P026"] == "conditional"


class TestAChange:
    async def test_of_activities_is_told_of_what_was_not_due_before(self, office: Office) -> None:
        uscc = await office.registered("6210")
        await office.hears(
            "registration", "enterprise_changed", uscc, changed_on="2026-02-02", activities=["6210", "8760"]
        )
        added = [row for row in await office.rows("notification", "uscc", uscc) if row["event_type"] == 2]
        assert {row["item_id"] for row in added} == {"P026", "P052"}
        assert len(await office.said(uscc, "permit_requirements_determined")) == 2

    async def test_of_something_else_determines_nothing_anew(self, office: Office) -> None:
        uscc = await office.registered("6210")
        before = await office.said(uscc)
        await office.hears("registration", "enterprise_changed", uscc, changed_on="2026-02-02", area="310106013")
        assert await office.said(uscc) == before


class TestADepartment:
    async def test_claims_what_is_its_own(self, office: Office) -> None:
        uscc = await office.registered("6210")
        row = await office.notification(uscc, "P033")
        claimed = await office.claims(row["id"], FIRE)
        assert (claimed.state, claimed.claimed_by, claimed.version) == ("claimed", FIRE.subject, 2)
        [said] = await office.said(uscc, "notification_claimed")
        assert said["department"] == "fire_and_rescue"
        with pytest.raises(use_cases.NotWaiting):
            await office.claims(row["id"], FIRE, version=2)

    async def test_does_not_see_what_is_anothers(self, office: Office) -> None:
        row = await office.notification(await office.registered("6210"), "P033")
        with pytest.raises(use_cases.NoSuchNotification):
            await office.claims(row["id"], HEALTH)

    async def test_may_claim_what_was_dispatched_to_nobody(self, office: Office) -> None:
        uscc = await office.registered("6210")
        row = await office.notification(uscc, "P077")
        assert (await office.claims(row["id"], MARKET)).department == "market_regulation"

    async def test_acts_on_what_it_has_read(self, office: Office) -> None:
        row = await office.notification(await office.registered("6210"), "P033")
        with pytest.raises(Stale):
            await office.claims(row["id"], FIRE, version=7)

    async def test_has_one_of_two_officers_who_claim_at_once(self, office: Office) -> None:
        uscc = await office.registered("6210")
        row = await office.notification(uscc, "P033")
        both = [office.claims(row["id"], officer("fire_and_rescue", number)) for number in (1, 2)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["NotWaiting", "Notification"]
        assert len(await office.said(uscc, "notification_claimed")) == 1

    async def test_leaves_alone_what_a_colleague_has_taken_from_the_queue(self, office: Office) -> None:
        row = await office.notification(await office.registered("6210"), "P033")
        await office.takes_work("licensing.notification", row["id"], FIRE)
        with pytest.raises(work.NotYours):
            await office.claims(row["id"], officer("fire_and_rescue", 2))
        assert (await office.claims(row["id"], FIRE)).state == "claimed"

    async def test_returns_what_is_anothers_with_a_new_deadline(self, office: Office) -> None:
        uscc = await office.registered("6210")
        row = await office.notification(uscc, "P033")
        office.clock.frozen_on = date(2026, 1, 8)
        returned = await office.returns(row["id"], "health", FIRE)
        assert (returned.state, returned.department, returned.dispatch_status) == ("sent", "health", 2)
        assert returned.claim_by == date(2026, 1, 15)
        [said] = await office.said(uscc, "notification_returned")
        assert (said["department"], said["sent_to"]) == ("fire_and_rescue", "health")
        assert (await office.claims(row["id"], HEALTH, version=2)).department == "health"

    async def test_returns_to_a_person_what_it_cannot_place(self, office: Office) -> None:
        row = await office.notification(await office.registered("6210"), "P033")
        returned = await office.returns(row["id"], None, FIRE)
        assert (returned.state, returned.department, returned.returns[0]["reassign_type"]) == ("returned", None, 2)
        assert (await office.claims(row["id"], MARKET, version=2)).department == "market_regulation"

    async def test_cannot_return_to_a_department_that_is_none(self, office: Office) -> None:
        row = await office.notification(await office.registered("6210"), "P033")
        with pytest.raises(use_cases.UnknownDepartment):
            await office.returns(row["id"], "fishery_of_the_moon", FIRE)
        assert (await office.notification(row["uscc"], "P033"))["state"] == "sent"


class TestTime:
    async def test_that_passes_makes_a_notification_overdue_and_it_is_still_claimed(self, office: Office) -> None:
        uscc = await office.registered("6210")
        row = await office.notification(uscc, "P122")
        await office.days_pass(date(2026, 1, 12))
        assert (await office.notification(uscc, "P122"))["state"] == "sent", "the last day is in time"

        await office.days_pass(date(2026, 1, 13))
        late = await office.notification(uscc, "P122")
        assert (late["state"], late["overdue_on"]) == ("overdue", date(2026, 1, 13))
        [said] = [one for one in await office.said(uscc, "notification_overdue") if one["item_id"] == "P122"]
        assert said["department"] == "water"
        [item] = await office.rows("work_item", "subject", str(row["id"]))
        assert item["escalated_on"] == date(2026, 1, 13)
        assert (await office.claims(row["id"], officer("water"), version=2)).state == "claimed"

    async def test_that_passes_after_a_claim_changes_nothing(self, office: Office) -> None:
        uscc = await office.registered("6210")
        await office.claims((await office.notification(uscc, "P033"))["id"], FIRE)
        await office.days_pass(date(2026, 2, 2))
        assert "P033" not in {one["item_id"] for one in await office.said(uscc, "notification_overdue")}


async def test_an_enterprise_that_has_left_the_register_is_waited_for_no_more(office: Office) -> None:
    uscc = await office.registered("6210")
    await office.hears("registration", "enterprise_deregistered", uscc, deregistered_on="2026-01-07")
    assert {row["state"] for row in await office.rows("notification", "uscc", uscc)} == {"dropped"}
    await office.days_pass(date(2026, 2, 2))
    assert not await office.said(uscc, "notification_overdue")
