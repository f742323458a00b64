"""The acts of the registry on a real database: what is decided, recorded and told, all of it or nothing."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.common.transaction import once
from libs.common.web import Stale
from services.registration import domain, policy, use_cases
from services.registration.domain import uscc as identifiers
from services.registration.forms import ApplicationForm
from services.registration.use_cases import EnterpriseUnknown
from tests.http.wire import rows
from tests.registration.registry import Registry
from tests.spine import form, name_of_its_own

NOWHERE = "91310106MA1FY0000X"


class TestAnAcceptedForm:
    async def test_makes_an_enterprise_with_an_identifier_of_its_own(self, registry: Registry) -> None:
        name = name_of_its_own()
        judged = await registry.submit(enterprise_name=name)
        assert judged.status == "registered"
        assert judged.uscc is not None
        assert identifiers.check(judged.uscc) == ()
        enterprise = await registry.enterprise(judged.uscc)
        assert enterprise["name"] == "".join(name.values())
        assert enterprise["registered_on"] == date(2026, 1, 5)
        assert enterprise["activities"] == ["6210", "5432"]
        assert enterprise["application_id"] == judged.id
        assert enterprise["version"] == 1

    async def test_is_told_once_with_the_identifier_as_its_subject(self, registry: Registry) -> None:
        judged = await registry.submit()
        [event] = await registry.said(judged.uscc)
        assert (event["type"], event["sequence"]) == ("registration.enterprise_registered.v1", 1)
        assert event["correlation_id"] == str(judged.id), "the case that started it"
        assert json.loads(event["data"]) == {
            "application_id": str(judged.id),
            "registered_on": "2026-01-05",
            "enterprise_type": "limited_company",
            "industry": "6210",
            "activities": ["6210", "5432"],
            "area": "310106012",
            "registered_capital": "5000000.00",
            "capital_currency": "CNY",
            "foreign_share": "60",
            "capital": "foreign",
            "permit_facts": ["loose_or_processed_food", "sells_liquor"],
            "permit_facts_denied": ["prepackaged_only"],
            "filed_by": "applicant-1",
        }
        assert [act for act, _ in await registry.told(judged.id)] == ["application_submitted", "application_decided"]

    async def test_keeps_its_people_apart_under_ids_that_say_nothing(self, registry: Registry) -> None:
        judged = await registry.submit()
        async with registry.spine.database("registration") as connection:
            parties = await connection.fetch("SELECT * FROM party WHERE application_id = $1", judged.id)
        assert sorted((party["role"], party["name"]) for party in parties) == [
            ("investor", "Grünfeld Gastronomie GmbH"),
            ("investor", "上海禾苗商贸有限公司"),
            ("legal_representative", "Anna Weber"),
        ]
        kept = json.loads((await registry.row("SELECT form FROM application WHERE id = $1", judged.id))["form"])
        named = {*map(UUID, kept["investor_parties"]), UUID(kept["legal_representative"])}
        assert named == {party["party_id"] for party in parties}
        again = await registry.submit()
        assert not named & {row["party_id"] for row in await parties_of(registry, again.id)}, "nobody is recognised"


async def parties_of(registry: Registry, id: UUID) -> Sequence[asyncpg.Record]:
    async with registry.spine.database("registration") as connection:
        return await connection.fetch("SELECT * FROM party WHERE application_id = $1", id)


class TestADecision:
    @pytest.mark.parametrize(
        ("activities", "status", "reason"),
        [(["0422"], "refused", "prohibited"), (["6311"], "in_review", "from_memory")],
    )
    async def test_against_a_form_or_for_a_person_to_make_registers_nothing_and_tells_of_the_case_alone(
        self, registry: Registry, activities: list[str], status: str, reason: str
    ) -> None:
        before = await rows(registry.spine)
        judged = await registry.submit(activities=activities)
        assert (judged.status, judged.uscc) == (status, None)
        assert any(reason in finding["reasons"] for finding in judged.decision["findings"])
        after = await rows(registry.spine)
        assert (after["application"], after["party"]) == (before["application"] + 1, before["party"] + 3)
        assert after["enterprise"] == before["enterprise"]
        said = len(await registry.said(judged.id))
        assert said == after["outbox"] - before["outbox"] == (2 if status == "refused" else 1)

    async def test_follows_the_list_of_its_day(self, registry: Registry) -> None:
        """Printing of publications was under Chinese control until the 2024 list came into force on 1 November."""
        last_day = await registry.on(date(2024, 10, 31)).submit(activities=["2311"])
        first_day = await registry.on(date(2024, 11, 1)).submit(activities=["2311"])
        assert (last_day.status, first_day.status) == ("refused", "registered")
        [finding] = last_day.decision["findings"]
        assert (finding["item_key"], finding["edition"]) == ("printing", "2021")
        assert last_day.decision["judged_for"] == "2024-10-31"

    @pytest.mark.parametrize("activities", [["6210"], ["0422"], ["6311"]])
    async def test_is_kept_so_that_it_can_be_made_again(self, registry: Registry, activities: list[str]) -> None:
        judged = await registry.submit(activities=activities)
        kept = json.loads((await registry.row("SELECT decision FROM application WHERE id = $1", judged.id))["decision"])
        assert kept == judged.decision
        anew = domain.judge(domain.recalled(kept["facts"]), policy.current(), date.fromisoformat(kept["judged_for"]))
        assert use_cases.recorded(anew) == kept

    async def test_of_a_form_with_faults_is_none_and_leaves_nothing(self, registry: Registry) -> None:
        before = await rows(registry.spine)
        with pytest.raises(domain.FormReturned) as returned:
            await registry.submit(area="310106999", capital_currency="XAU")
        assert [fault.field for fault in returned.value.faults] == ["capital_currency", "area"]
        assert await rows(registry.spine) == before


class TestAChange:
    async def test_that_is_accepted_alters_what_it_names_and_tells_only_that(self, registry: Registry) -> None:
        uscc = (await registry.submit()).uscc
        before = await registry.enterprise(uscc)
        judged = await registry.on(date(2026, 3, 2)).change(uscc, activities=["6210"], area="310106013")

        after = await registry.enterprise(uscc)
        assert judged.status == "accepted"
        assert {name for name, value in after.items() if value != before[name]} == {"activities", "area", "version"}
        assert (after["activities"], after["area"], after["version"]) == (["6210"], "310106013", 2)
        registered, changed = await registry.said(uscc)
        assert (registered["sequence"], changed["sequence"]) == (1, 2)
        assert changed["correlation_id"] == str(judged.id)
        assert json.loads(changed["data"]) == {
            "change_id": str(judged.id), "changed_on": "2026-03-02", "changed": ["area", "activities"],
            "area": "310106013", "activities": ["6210"], "industry": "6210",
        }  # fmt: skip

    async def test_of_capital_is_kept_to_the_cent(self, registry: Registry) -> None:
        uscc = (await registry.submit()).uscc
        await registry.change(uscc, registered_capital="999999999999999.99", capital_currency="USD")
        enterprise = await registry.enterprise(uscc)
        assert (enterprise["registered_capital"], enterprise["capital_currency"]) == (
            Decimal("999999999999999.99"),
            "USD",
        )

    @pytest.mark.parametrize(("activities", "outcome"), [(["0422"], "refused"), (["6311"], "review")])
    async def test_into_what_the_list_restricts_is_recorded_and_alters_nothing(
        self, registry: Registry, activities: list[str], outcome: str
    ) -> None:
        uscc = (await registry.submit()).uscc
        before = await registry.enterprise(uscc)
        judged = await registry.change(uscc, activities=activities)

        assert judged.status == outcome
        assert await registry.enterprise(uscc) == before
        assert len(await registry.said(uscc)) == 1
        kept = await registry.row("SELECT * FROM enterprise_change WHERE id = $1", judged.id)
        assert (kept["uscc"], kept["outcome"], json.loads(kept["changed"])) == (
            uscc,
            outcome,
            {"activities": activities},
        )

    async def test_is_judged_with_the_shares_of_the_establishment(self, registry: Registry) -> None:
        """Tobacco is closed to the foreign investor who came in with catering."""
        uscc = (await registry.submit()).uscc
        assert (await registry.change(uscc, activities=["5128"])).status == "refused"
        chinese = [{"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "100"}]
        domestic = (await registry.submit(investors=chinese)).uscc
        assert (await registry.change(domestic, activities=["5128"])).status == "accepted"

    async def test_from_another_version_than_the_one_that_stands_is_none(self, registry: Registry) -> None:
        uscc = (await registry.submit()).uscc
        await registry.change(uscc, version=1, area="310106013")
        with pytest.raises(Stale):
            await registry.change(uscc, version=1, area="310106014")
        assert (await registry.enterprise(uscc))["area"] == "310106013"

    async def test_of_what_belongs_to_another_account_is_none(self, registry: Registry) -> None:
        uscc = (await registry.submit()).uscc
        before = await rows(registry.spine)
        with pytest.raises(EnterpriseUnknown):
            await registry.as_("applicant-2").change(uscc, area="310106013")
        assert await rows(registry.spine) == before

    async def test_of_an_enterprise_that_is_not_registered_is_none(self, registry: Registry) -> None:
        before = await rows(registry.spine)
        with pytest.raises(EnterpriseUnknown):
            await registry.change(NOWHERE, area="310106013")
        assert await rows(registry.spine) == before


class Cut(Exception):
    """The act is cut off before its commit."""


async def test_an_act_that_is_cut_off_leaves_nothing_and_its_identifier_is_not_given_out_again(
    registry: Registry,
) -> None:
    before, given = await rows(registry.spine), []
    command = ApplicationForm.model_validate(form()).command()

    async def cut_off(session: Any) -> None:
        judged = await use_cases.submit_application(
            session, command, policy.current(), registry.clock, id=uuid4(), filed_by="applicant-1"
        )
        given.append(judged.uscc)
        raise Cut

    with pytest.raises(Cut):
        await once(registry.database, cut_off)
    assert await rows(registry.spine) == before
    assert (await registry.submit()).uscc not in given
