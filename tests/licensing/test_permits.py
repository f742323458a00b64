"""Applications of an owner and decisions of officers: who may, when, and once."""

import asyncio
import json
from collections import Counter
from datetime import date

import pytest

from libs.common import work
from libs.common.web import Stale
from services.licensing import policy, use_cases
from tests.licensing.office import FIRE, MARKET, STRANGER, Office, officer

DECIDE = "licensing.permit"


class TestAFiling:
    async def test_is_recorded_at_once_and_refuses_nothing(self, office: Office) -> None:
        uscc = await office.registered("6210")
        filed = await office.applies(uscc, "P077", "filing")
        assert (filed.status, filed.permit_id) == ("recorded", None)
        [said] = await office.said(uscc, "filing_recorded")
        assert (said["item_id"], said["department"]) == ("P077", "commerce")

    async def test_is_made_once(self, office: Office) -> None:
        uscc = await office.registered("6210")
        await office.applies(uscc, "P077", "filing")
        with pytest.raises(use_cases.AlreadyThere):
            await office.applies(uscc, "P077", "filing")

    @pytest.mark.parametrize("way", ["commitment", "ordinary"])
    async def test_is_no_permit(self, office: Office, way: use_cases.Way) -> None:
        uscc = await office.registered("6210")
        with pytest.raises(use_cases.WayNotOffered):
            await office.applies(uscc, "P077", way)
        assert not await office.rows("permit_application", "uscc", uscc)


class TestThatNobodyMayAskFor:
    async def test_a_cancelled_item(self, office: Office) -> None:
        with pytest.raises(use_cases.NoPermitMayBeDemanded):
            await office.applies(await office.registered("6210"), "P024", "ordinary")

    @pytest.mark.parametrize("item", ["P034", "P999"])
    async def test_an_item_that_the_activities_do_not_call_for(self, office: Office, item: str) -> None:
        with pytest.raises(use_cases.NotRequired):
            await office.applies(await office.registered("6210"), item, "ordinary")

    async def test_an_item_that_hangs_on_an_open_question(self, office: Office) -> None:
        with pytest.raises(use_cases.QuestionOpen) as asked:
            await office.applies(await office.registered("8930"), "P026", "commitment")
        assert asked.value.facts == ("swimming_pool",)

    async def test_an_item_that_is_decided_above_the_district(self, office: Office) -> None:
        with pytest.raises(use_cases.DecidedElsewhere) as above:
            await office.applies(await office.registered("6319"), "P095", "ordinary")
        assert above.value.level == "municipal"

    async def test_anything_for_an_enterprise_of_somebody_else(self, office: Office) -> None:
        uscc = await office.registered("6210")
        with pytest.raises(use_cases.NoSuchEnterprise):
            await office.applies(uscc, "P001", "ordinary", owner=STRANGER)

    async def test_anything_for_an_enterprise_that_has_left_the_register(self, office: Office) -> None:
        uscc = await office.registered("6210")
        await office.hears("registration", "enterprise_deregistered", uscc, deregistered_on="2026-01-05")
        with pytest.raises(use_cases.LeftTheRegister):
            await office.applies(uscc, "P001", "ordinary")


class TestTheOrdinaryWay:
    async def test_waits_for_the_department_as_long_as_the_law_gives_it(self, office: Office) -> None:
        uscc = await office.registered("6210")
        filed = await office.applies(uscc, "P001", "ordinary")
        assert (filed.status, filed.decide_by) == ("in_review", date(2026, 2, 2)), "20 working days"
        assert filed.days_basis == "default_Licensing_Law_Art42"
        [item] = await office.rows("work_item", "subject", str(filed.id))
        assert (item["queue"], item["department"]) == (DECIDE, "market_regulation")

    async def test_counts_a_term_in_calendar_days_by_the_working_days_within_it(self, office: Office) -> None:
        uscc = await office.registered("8930", permit_facts=["swimming_pool"])
        filed = await office.applies(uscc, "P061", "ordinary")
        assert filed.decide_by == date(2026, 2, 4), "30 days"

    async def test_ends_with_a_permit_that_the_officer_grants(self, office: Office) -> None:
        uscc = await office.registered("6210")
        filed = await office.applies(uscc, "P001", "ordinary")
        await office.takes_work(DECIDE, filed.id, MARKET)
        granted = await office.decides(filed.id, "grant", MARKET)
        assert (granted.status, granted.version) == ("granted", 2)
        [said] = await office.said(uscc, "permit_granted")
        assert (said["permit_id"], said["mode"]) == (str(granted.permit_id), "optimised_access")
        [permit] = await office.rows("permit", "uscc", uscc)
        assert permit["revoked_on"] is None

    async def test_ends_with_a_reason_where_the_officer_refuses_and_may_be_gone_again(self, office: Office) -> None:
        uscc = await office.registered("6210")
        filed = await office.applies(uscc, "P001", "ordinary")
        await office.takes_work(DECIDE, filed.id, MARKET)
        refused = await office.decides(filed.id, "refuse", MARKET)
        assert refused.decided is not None
        assert refused.decided["reason"] == "seen on the spot"
        [said] = await office.said(uscc, "permit_refused")
        assert "reason" not in said, "words stay here"
        assert (await office.applies(uscc, "P001", "ordinary")).status == "in_review"

    async def test_is_for_an_officer_of_the_department_who_holds_it(self, office: Office) -> None:
        filed = await office.applies(await office.registered("6210"), "P001", "ordinary")
        with pytest.raises(use_cases.NoSuchApplication):
            await office.decides(filed.id, "grant", FIRE)
        with pytest.raises(work.NotYours):
            await office.decides(filed.id, "grant", MARKET)

    async def test_is_decided_once_on_what_was_read(self, office: Office) -> None:
        uscc = await office.registered("6210")
        filed = await office.applies(uscc, "P001", "ordinary")
        await office.takes_work(DECIDE, filed.id, MARKET)
        with pytest.raises(Stale):
            await office.decides(filed.id, "grant", MARKET, version=2)
        both = [office.decides(filed.id, ruling, MARKET) for ruling in ("grant", "refuse")]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert Counter(type(one).__name__ for one in answers) == {"PermitApplication": 1, "Stale": 1}
        assert len(await office.said(uscc, "permit_granted", "permit_refused")) == 1

    async def test_is_taken_by_one_of_two_officers(self, office: Office) -> None:
        filed = await office.applies(await office.registered("6210"), "P001", "ordinary")
        both = [office.takes_work(DECIDE, filed.id, officer("market_regulation", number)) for number in (1, 2)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert Counter(type(one).__name__ for one in answers) == {"NoneType": 1, "Claimed": 1}

    async def test_lapses_when_the_enterprise_leaves_the_register(self, office: Office) -> None:
        uscc = await office.registered("6210")
        filed = await office.applies(uscc, "P001", "ordinary")
        await office.hears("registration", "enterprise_deregistered", uscc, deregistered_on="2026-01-05")
        [row] = await office.rows("permit_application", "id", filed.id)
        assert row["status"] == "lapsed"
        with pytest.raises(use_cases.AlreadyDecided):
            await office.decides(filed.id, "grant", MARKET, version=2)


@pytest.mark.parametrize(("item", "way"), [("P077", "filing"), ("P033", "commitment"), ("P001", "ordinary")])
async def test_a_double_click_makes_one_application(office: Office, item: str, way: use_cases.Way) -> None:
    uscc = await office.registered("6210")
    answers = await asyncio.gather(*(office.applies(uscc, item, way) for _ in range(4)), return_exceptions=True)
    assert Counter(type(one).__name__ for one in answers) == {"PermitApplication": 1, "AlreadyThere": 3}
    assert len(await office.rows("permit_application", "uscc", uscc)) == 1


async def test_every_decision_is_kept_so_that_it_can_be_made_again(office: Office) -> None:
    uscc = await office.registered("6210", permit_facts=["sells_liquor"])
    await office.applies(uscc, "P033", "commitment")
    await office.applies(uscc, "P077", "filing")
    kept = await office.rows("determination", "uscc", uscc)
    kept += await office.rows("permit_application", "uscc", uscc)
    replayed = [use_cases.replay("decision", "1", json.loads(row["record"]), policy.current()) for row in kept]
    assert [(one.agrees, one.same_policy) for one in replayed] == [(True, True)] * 3


async def test_a_record_that_somebody_has_changed_does_not_agree(office: Office) -> None:
    uscc = await office.registered("6210")
    [kept] = await office.rows("determination", "uscc", uscc)
    record = json.loads(kept["record"])
    record["requirements"] = [one for one in record["requirements"] if one["item_id"] != "P033"]
    assert not use_cases.replay("determination", "1", record, policy.current()).agrees
