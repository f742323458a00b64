"""What the law leaves to a person: claimed by one, decided with reason, sent back, lapsed, withdrawn; never twice."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from libs.common import work
from libs.common.calendar import add_working_days
from libs.common.web import Stale
from services.registration import domain, use_cases
from services.registration.domain import corrections
from services.registration.domain.states import ActClosed
from services.registration.forms import (
    ApplicationForm,
    EnterpriseNameForm,
    FounderForm,
    LegalRepresentativeForm,
    TermForm,
)
from tests.registration.registry import LIN, START, WEI, Registry
from tests.spine import form

TELECOM = ["6311"]
"""Basic telecommunications: the row of the list was not checked against the text, so a person decides."""

DAY = timedelta(days=1)


async def to_review(registry: Registry, **fields: Any) -> UUID:
    judged = await registry.submit(activities=TELECOM, **fields)
    assert judged.status == "in_review"
    return judged.id


async def ended(registry: Registry, id: UUID) -> dict[str, Any]:
    decided: dict[str, Any] = json.loads((await registry.application(id))["decided"])
    return decided


class TestAnApplicationInReview:
    async def test_waits_three_working_days_in_the_queue_of_the_registrars(self, registry: Registry) -> None:
        id = await to_review(registry)
        item = await registry.item(id)
        assert (item["opened_on"], item["due_on"]) == (START, add_working_days(START, 3).on)
        assert item["correlation_id"] == str(id)
        assert await registry.told(id) == [
            ("application_submitted", {"filed_by": "applicant-1", "submitted_on": "2026-01-05", "round": 1,
                                       "status": "in_review", "uscc": None}),
        ]  # fmt: skip

    async def test_is_marked_when_nobody_has_decided_in_time_and_stays_where_it_is(self, registry: Registry) -> None:
        id = await to_review(registry)
        overdue = add_working_days(START, 3).on + DAY
        await registry.time_passes(overdue)
        assert (await registry.item(id))["escalated_on"] == overdue
        assert (await registry.application(id))["status"] == "in_review"

    async def test_may_take_three_days_more_once(self, registry: Registry) -> None:
        id = await to_review(registry)
        await registry.claim(id, WEI)

        async def extend() -> work.Item:
            return await registry.act(
                lambda session: use_cases.extend_review(
                    session, id, "complex_case", WEI, 1, registry.law, registry.clock
                )
            )  # fmt: skip

        assert (await extend()).due_on == add_working_days(START, 6).on
        with pytest.raises(work.NotExtendable):
            await extend()


class TestTheOfficer:
    async def test_who_holds_it_registers_and_the_record_says_what_he_set_aside(self, registry: Registry) -> None:
        id = await to_review(registry)
        await registry.claim(id, WEI)
        row = await registry.on(date(2026, 1, 6)).decide(id, "register", WEI, reason="外方比例符合规定。")

        assert row.status == "registered"
        enterprise = await registry.enterprise(row.uscc or "")
        assert (enterprise["registered_on"], enterprise["activities"]) == (date(2026, 1, 6), TELECOM)
        assert (enterprise["filed_by"], enterprise["capital"]) == ("applicant-1", "foreign")
        decided = await ended(registry, id)
        assert {name: decided[name] for name in ("outcome", "by", "officer", "reason", "on")} == {
            "outcome": "registered", "by": "officer", "officer": "registrar-wei", "reason": "外方比例符合规定。",
            "on": "2026-01-06",
        }  # fmt: skip
        assert any("from_memory" in finding["reasons"] for finding in decided["overridden"])
        record = decided["record"]
        assert (record["judged_for"], record["policy_digest"]) == ("2026-01-06", registry.law.digest)
        assert record["facts"]["activities"] == TELECOM
        item = await registry.item(id)
        assert (item["outcome"], item["closed_at"] is not None) == ("register", True)

    async def test_tells_what_he_decided_but_not_who_he_is_and_why(self, registry: Registry) -> None:
        id = await to_review(registry)
        await registry.claim(id, WEI)
        row = await registry.decide(id, "register", WEI, reason="理由只留在登记机关。")
        said = [*await registry.told(id), *await registry.told(row.uscc or "")]
        assert [act for act, _ in said] == ["application_submitted", "application_decided", "enterprise_registered"]
        assert said[1][1] == {
            "outcome": "registered", "decided_by": "officer", "decided_on": "2026-01-05", "uscc": row.uscc,
        }  # fmt: skip
        assert "registrar-wei" not in str(said)
        assert "理由" not in str(said)

    async def test_who_refuses_registers_nothing_and_overrides_nothing(self, registry: Registry) -> None:
        id = await to_review(registry)
        await registry.claim(id, WEI)
        row = await registry.decide(id, "refuse", WEI)
        assert (row.status, row.uscc) == ("refused", None)
        assert (await ended(registry, id))["overridden"] == []
        with pytest.raises(Stale):
            await registry.decide(id, "register", WEI)
        with pytest.raises(ActClosed):
            await registry.decide(id, "register", WEI, version=2)

    async def test_who_has_not_claimed_it_decides_nothing(self, registry: Registry) -> None:
        id = await to_review(registry)
        for claimed in (False, True):
            if claimed:
                await registry.claim(id, WEI)
            with pytest.raises(work.NotYours):
                await registry.decide(id, "register", LIN)
            with pytest.raises(work.NotYours):
                await registry.correct(id, LIN, 1, ("area", "请核对。"))
        assert (await registry.application(id))["status"] == "in_review"

    async def test_cannot_register_what_the_law_refuses_by_then(self, registry: Registry) -> None:
        """While the form lay in review, another list came into force that closes its field."""
        id = await to_review(registry)
        closed = [
            edition if edition.edition.edition != "2024" else _closing(edition, TELECOM[0])
            for edition in registry.law.negative_lists["national"]
        ]
        lists = {**registry.law.negative_lists, "national": tuple(closed)}
        changed = registry.under(replace(registry.law, negative_lists=lists, digest="another law"))
        await registry.claim(id, WEI)
        with pytest.raises(use_cases.RefusedByLaw):
            await changed.decide(id, "register", WEI)
        assert (await registry.application(id))["status"] == "in_review"
        assert (await changed.decide(id, "refuse", WEI)).status == "refused"
        assert (await ended(registry, id))["record"]["policy_digest"] == "another law"

    async def test_registers_once_whoever_else_and_however_often_he_clicks(self, registry: Registry) -> None:
        """Eight at once on connections of their own, four by the holder and four by another."""
        id = await to_review(registry)
        await registry.claim(id, WEI)
        before = await registry.row("SELECT count(*) FROM enterprise")
        answers = await asyncio.gather(
            *(registry.decide(id, ruling, officer) for officer in (WEI, LIN) for ruling in ("register", "refuse") * 2),
            return_exceptions=True,
        )
        done = [answer for answer in answers if not isinstance(answer, BaseException)]
        assert len(done) == 1
        assert {type(answer) for answer in answers if isinstance(answer, BaseException)} <= {Stale, work.NotYours}
        after = await registry.row("SELECT count(*) FROM enterprise")
        assert after["count"] - before["count"] == (done[0].status == "registered")
        assert [act for act, _ in await registry.told(id)].count("application_decided") == 1

    async def test_and_another_who_claim_at_once_do_not_both_get_it(self, registry: Registry) -> None:
        id = await to_review(registry)
        answers = await asyncio.gather(*(registry.claim(id, one) for one in (WEI, LIN) * 4), return_exceptions=True)
        assert sum(isinstance(answer, work.Item) for answer in answers) == 1

    async def test_decides_while_the_applicant_withdraws_and_one_of_the_two_counts(self, registry: Registry) -> None:
        id = await to_review(registry)
        await registry.claim(id, WEI)
        answers = await asyncio.gather(
            registry.decide(id, "register", WEI), registry.withdraw(id), return_exceptions=True
        )
        assert sum(isinstance(answer, BaseException) for answer in answers) == 1
        assert (await registry.application(id))["status"] in ("registered", "withdrawn")
        assert [act for act, _ in await registry.told(id)].count("application_decided") == 1


def _closing(listed: Any, code: str) -> Any:
    """The edition with all that it says of one class turned into a verified prohibition."""
    clauses = tuple(
        replace(clause, alternatives="none", entries=tuple(
            replace(entry, measure=("prohibited",), coverage="full", confidence="verified", alternative_group="")
            for entry in clause.entries
        ))
        for clause in listed.clauses[code]
    )  # fmt: skip
    return replace(listed, clauses={**listed.clauses, code: clauses})


ASKED = (("investors.0.share", "请按验资报告填写出资比例。"), ("enterprise_name.trade_name", "字号与已登记企业近似。"))


class TestAFormSentBack:
    async def parties(self, registry: Registry, id: UUID) -> list[Any]:
        async with registry.connection() as connection:
            return list(await connection.fetch("SELECT party_id FROM party WHERE application_id = $1", id))

    async def sent_back(self, registry: Registry) -> UUID:
        id = await to_review(registry)
        await registry.claim(id, WEI)
        await registry.correct(id, WEI, 1, *ASKED)
        return id

    async def test_says_which_fields_and_until_when_and_keeps_the_words_at_home(self, registry: Registry) -> None:
        id = await self.sent_back(registry)
        row = await registry.application(id)
        due_on = add_working_days(START, registry.law.days("corrections")).on
        assert (row["status"], row["version"], row["correct_by"]) == ("corrections_requested", 2, due_on)
        assert json.loads(row["corrections"]) == [{"field": field, "words": words} for field, words in ASKED]
        assert (await registry.told(id))[-1] == (
            "corrections_requested",
            {"fields": [field for field, _ in ASKED], "requested_on": "2026-01-05", "due_on": due_on.isoformat()},
        )
        assert (await registry.item(id))["outcome"] == "corrections_requested"

    async def test_comes_in_again_is_judged_anew_and_waits_for_any_officer(self, registry: Registry) -> None:
        id = await self.sent_back(registry)
        names = {row["party_id"] for row in await self.parties(registry, id)}
        later = registry.on(date(2026, 1, 8))
        judged = await later.resubmit(id, 2, activities=TELECOM, area="310106013")

        assert (judged.status, judged.round, judged.version) == ("in_review", 2, 3)
        row = await registry.application(id)
        assert (row["correct_by"], json.loads(row["corrections"])) == (None, [])
        assert json.loads(row["decision"])["facts"]["place"] == "310106013"
        item = await registry.item(id)
        assert (item["claimed_by"], item["opened_on"]) == (None, date(2026, 1, 8))
        earlier = await registry.row("SELECT * FROM earlier_round WHERE application_id = $1", id)
        assert (earlier["round"], json.loads(earlier["decision"])["facts"]["place"]) == (1, "310106012")
        assert len(json.loads(earlier["corrections"])) == 2
        parties = {row["party_id"] for row in await self.parties(registry, id)}
        assert len(parties) == 3
        assert not parties & names, "the names of the earlier round are gone"
        assert (await registry.told(id))[-1][1] == {
            "filed_by": "applicant-1", "submitted_on": "2026-01-08", "round": 2, "status": "in_review", "uscc": None,
        }  # fmt: skip

    async def test_may_be_registered_or_refused_by_the_screening_when_it_comes_back(self, registry: Registry) -> None:
        free, closed = await self.sent_back(registry), await self.sent_back(registry)
        registered = await registry.resubmit(free, 2, activities=["6210"])
        assert registered.status == "registered"
        assert registered.uscc is not None
        assert (await registry.resubmit(closed, 2, activities=["0422"])).status == "refused"
        assert (await ended(registry, closed))["by"] == "screening"

    async def test_is_taken_from_its_applicant_alone_and_from_the_version_he_has_read(self, registry: Registry) -> None:
        id = await self.sent_back(registry)
        with pytest.raises(use_cases.NoSuchApplication):
            await registry.as_("applicant-2").resubmit(id, 2)
        with pytest.raises(use_cases.NoSuchApplication):
            await registry.as_("applicant-2").withdraw(id)
        with pytest.raises(Stale):
            await registry.resubmit(id, 1)
        with pytest.raises(domain.FormReturned):
            await registry.resubmit(id, 2, capital_currency="XAU")
        assert (await registry.application(id))["version"] == 2

    async def test_lapses_by_itself_on_the_day_after_the_last(self, registry: Registry) -> None:
        id = await self.sent_back(registry)
        last = (await registry.application(id))["correct_by"]
        await registry.time_passes(last)
        assert (await registry.application(id))["status"] == "corrections_requested"
        with pytest.raises(ActClosed):
            await registry.on(last + DAY).resubmit(id, 2, activities=TELECOM)
        assert ("corrections_overdue", last + DAY) in await registry.time_passes(last + DAY)
        assert (await registry.application(id))["status"] == "lapsed"
        assert await ended(registry, id) == {"outcome": "lapsed", "by": "time", "on": (last + DAY).isoformat()}
        assert (await registry.told(id))[-1][1]["decided_by"] == "time"

    async def test_that_came_back_in_time_does_not_lapse_and_neither_does_a_withdrawn_one(
        self, registry: Registry
    ) -> None:
        back, gone = await self.sent_back(registry), await self.sent_back(registry)
        last = (await registry.application(back))["correct_by"]
        assert (await registry.on(last).resubmit(back, 2, activities=TELECOM)).status == "in_review"
        assert (await registry.withdraw(gone)).status == "withdrawn"
        fired = await registry.time_passes(last + DAY)
        assert ("corrections_overdue", last + DAY) not in fired
        assert (await registry.application(back))["status"] == "in_review"
        assert (await registry.application(gone))["status"] == "withdrawn"

    @pytest.mark.parametrize(
        ("fields", "faults"),
        [
            (["investors.2.share"], [("fields.0.field", "correction_field_unknown")]),
            (["activities.1"], [("fields.0.field", "correction_field_unknown")]),
            (["decision"], [("fields.0.field", "correction_field_unknown")]),
            (["permit_facts.capital_foreign"], [("fields.0.field", "correction_field_unknown")]),
            (["area", "area"], [("fields.1.field", "correction_field_repeated")]),
            (["investors.1.country", "activities.0", "permit_facts.swimming_pool", "term.ends"], []),
        ],
    )
    async def test_names_fields_that_the_form_has(
        self, registry: Registry, fields: list[str], faults: list[tuple[str, str]]
    ) -> None:
        id = await to_review(registry)
        await registry.claim(id, WEI)
        try:
            await registry.correct(id, WEI, 1, *((field, "请更正。") for field in fields))
            found = []
        except domain.FormReturned as returned:
            found = [(fault.field, fault.code) for fault in returned.faults]
        assert found == faults


def test_the_fields_to_correct_are_those_of_the_form() -> None:
    """The domain lists them by itself, since it knows no forms."""
    nested: dict[str, type[BaseModel]] = {
        "enterprise_name": EnterpriseNameForm,
        "legal_representative": LegalRepresentativeForm,
        "term": TermForm,
    }
    own = set(ApplicationForm.model_fields) - {"draft_id"}
    inner = {f"{name}.{field}" for name, kind in nested.items() for field in kind.model_fields}
    assert set(corrections.FIELDS) == own | inner
    assert set(corrections.INVESTOR_FIELDS) == set(FounderForm.model_fields)
    assert form().keys() <= ApplicationForm.model_fields.keys()
